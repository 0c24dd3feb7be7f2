"""How far an upload is, how long it still takes, and what it waits for: told from counts, weights and moments.

Read totals (counts, and what they are in words, steps and percent) and workload (how much work it is, how fast it goes)
first. Then time_left, with what it reckons with: earlier_uploads (what work has cost), lane_load and slowdown (others'
work in the same lane, and how much longer it makes ours). delays is what services wait for just now.
"""
