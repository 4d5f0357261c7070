"""What to tell whom: Communication rows, written in the transaction of what they tell, and their delivery.

The outbox. `booked`, `moved` and `cancelled` are called by the use cases of scheduling.booking inside their
transaction; a worker delivers what is due (scheduling.tasks).
"""

from scheduling.notifications.outbox import booked, cancelled, moved

__all__ = ["booked", "cancelled", "moved"]
