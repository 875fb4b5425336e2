"""Alerts for admins: the message and its playbook."""
