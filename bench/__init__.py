"""The bench: what an ask costs, measured beside a hand-written floor and the bare source in the same run.

    python3 run.py bench            a table; under six minutes
    python3 run.py bench --quick    the same with short rounds, to see that it works: too short to quote
    python3 run.py bench --json     every figure: median, least, most and the ratios
    python3 run.py bench --out DIR  also bench.json and bench.svg, every figure and a picture
    python3 run.py bench --page     also docs/performance.md, its picture and its record
    python3 run.py bench --memory   whether memory grows over 100 000 asks, and nothing else; half an hour and more
    python3 run.py bench --profile  where an ask's time goes, by step of the road and by library, and nothing else

    .venv/bin/python -m bench.large_log --entries 1000000   what a large log costs those who use, sign and check it

Only ratios of one run mean something; the figures beside them tell where they come from. Nothing here is asserted in
tests: a slow machine is no fault of the code. `plan.py` says what is compared, `scene.py` sets it up, `load.py` asks,
`floor.py` is the floor, `inside.py` measures parts without HTTP, `machine.py` says who paid,
`profile.py` where the time goes, `report.py` tells.
"""
