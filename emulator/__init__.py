"""USER EMULATOR: plays synthetic people against MaaS, through the entrypoint that real clients use.

Takes: scenarios or dialogue scripts, a seed, how many.
Gives: dialogues, and the ground truth of each query as messages for the Sensor.
Never: reads golden data, sees parameters, tells MaaS what it should find.
"""
