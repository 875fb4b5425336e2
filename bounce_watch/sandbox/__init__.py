"""Read messages in a process that can be killed, with limits on CPU time, memory and elapsed time.

Nothing is imported here, so that a reading process starts fast.
"""
