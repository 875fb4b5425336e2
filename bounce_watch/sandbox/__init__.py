"""Reading where it can do no harm: messages are taken apart in a process that can be killed.

The limits are those of a reader that meets hostile input: processor time, memory, time on the clock.
Nothing is imported here, so that a reading process starts with little.
"""
