"""Mistakes that a type checker finds; ``# error:`` says which, on its line."""

from archcheck import Call, Endpoint, MySQL, Retry, Service, Work
from archcheck.units import KiB, ms, percent, s

Call("bank", timeout=500 / s)  # error: arg-type
Call("bank", timeout=0.8)  # error: arg-type
Call("bank", timeout="800ms")  # error: arg-type
Call("bank", timout=800 * ms)  # error: call-arg
Call()  # error: call-arg
Work(4 * KiB)  # error: arg-type
Work(4)  # error: arg-type
Retry(attempts="three")  # error: arg-type
MySQL("ledger", read=1 * percent)  # error: arg-type
MySQL("ledger", shards=4 * s)  # error: arg-type
Service("payments", endpoints=[Work(1 * ms)])  # error: list-item
Endpoint("Charge", steps=["bank.authorise"])  # error: list-item
Service("payments", "edge")  # error: call-arg
Service("payments").name = "orders"  # error: misc
1 * ms + 1 * KiB  # error: operator
1 * ms < 500 / s  # error: operator
250 * ms * ms  # error: operator
