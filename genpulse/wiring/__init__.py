"""Opens and closes everything that a process needs, from its settings; nothing below imports `Settings`.

`services` opens one of each port, `catalogue` loads providers, `database` does what `genpulse db`, `genpulse env`
and `genpulse keys` ask, `storage` tells what waits on the disk. Each is imported by its own name: all of them take
half a second, and most commands need one.
"""
