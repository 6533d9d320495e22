#!/usr/bin/env python3
"""NSGA-II of DEAP and of pagmo on the tables of bench_fronts: parts of the exact front's hypervolume.

    build/bench/bench_fronts --export tables.txt
    bench/fronts_peers.py tables.txt [--seeds 5] [--program deap|pagmo] [SECONDS ...]

Needs python3-deap, and for pagmo g++ and libpagmo-dev (Debian): bench/fronts_pagmo.cpp is compiled into a
temporary folder. Seconds are of processor time, of one thread."""
import argparse
import os
import random
import subprocess
import sys
import tempfile
import time


class Tables:
    def __init__(self, path):
        with open(path) as file:
            rows = [[float(x) for x in line.split()] for line in file]
        self.places, self.choices = (int(x) for x in rows[0])
        self.fixed_ps, self.fixed_params, self.least, self.most = rows[1]
        self.ps, self.params = rows[2], rows[3]
        self.score = rows[4:4 + self.places]
        self.reference, self.volume = rows[-1][:2], rows[-1][2]

    def judge(self, genes):
        """Decode, minus the score, parameters beyond the budget."""
        ps, params, score = self.fixed_ps, self.fixed_params, 0
        for place, gene in enumerate(genes):
            ps += self.ps[gene]
            params += self.params[gene]
            score += self.score[place][gene]
        return ps, -score, max(self.least - params, params - self.most, 0)


def volume(points, reference):
    """Of two objectives that are minimised."""
    total, lowest = 0.0, reference[1]
    for x, y in sorted(points):
        if x < reference[0] and y < lowest:
            total += (reference[0] - x) * (lowest - y)
            lowest = y
    return total


def thin(points):
    kept, lowest = set(), float("inf")
    for point in sorted(points):
        if point[1] < lowest:
            kept.add(point)
            lowest = point[1]
    return kept


def run_deap(tables, seed, marks):
    """selNSGA2 and selTournamentDCD as in DEAP's example; a stack outside the budget is worse than all within."""
    from deap import base, creator, tools
    random.seed(seed)
    if not hasattr(creator, "Stack"):
        creator.create("Cost", base.Fitness, weights=(-1.0, -1.0))
        creator.create("Stack", list, fitness=creator.Cost)
    seen = set()

    def evaluate(stack):
        ps, score, beyond = tables.judge(stack)
        if beyond == 0:
            seen.add((ps, score))
        stack.fitness.values = (ps + beyond * 1e6, score + beyond)

    n = 200
    population = [creator.Stack(random.randrange(tables.choices) for _ in range(tables.places)) for _ in range(n)]
    start, found, evaluations = time.process_time(), [], n
    for stack in population:
        evaluate(stack)
    population = tools.selNSGA2(population, n)
    while len(found) < len(marks):
        children = [creator.Stack(s) for s in tools.selTournamentDCD(population, n)] if all(
            hasattr(s.fitness, "crowding_dist") for s in population) else [creator.Stack(s) for s in population]
        for a, b in zip(children[::2], children[1::2]):
            if random.random() < 0.9:
                tools.cxUniform(a, b, 0.5)
            tools.mutUniformInt(a, 0, tables.choices - 1, 1 / tables.places)
            tools.mutUniformInt(b, 0, tables.choices - 1, 1 / tables.places)
        for stack in children:
            evaluate(stack)
        evaluations += n
        population = tools.selNSGA2(population + children, n)
        if len(seen) > 20000:
            seen = thin(seen)
        while len(found) < len(marks) and time.process_time() - start >= marks[len(found)]:
            found.append((volume(seen, tables.reference) / tables.volume, evaluations))
    return found


def compile_pagmo(folder):
    program = os.path.join(folder, "fronts_pagmo")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fronts_pagmo.cpp")
    subprocess.run(["g++", "-O2", "-std=c++17", source, "-o", program, "-lpagmo", "-lboost_serialization", "-ltbb"],
                   check=True)
    return program


def run_pagmo(program, path, seed, marks):
    text = subprocess.run([program, path, str(seed)] + [str(m) for m in marks], check=True, capture_output=True,
                          text=True).stdout
    return [tuple(float(x) for x in line.split()) for line in text.splitlines()]


def report(name, marks, runs):
    for i, mark in enumerate(marks):
        parts = [run[i][0] for run in runs]
        evaluations = sum(run[i][1] for run in runs) / len(runs)
        print(f"  {name:34s} {mark:8g} s {evaluations:12.0f} {sum(parts) / len(parts):8.4f} {min(parts):8.4f}",
              flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables")
    parser.add_argument("seconds", nargs="*", type=float)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--program", choices=["deap", "pagmo"])
    args = parser.parse_intermixed_args()
    marks, seeds = args.seconds or [1.0, 10.0], range(1, args.seeds + 1)
    tables = Tables(args.tables)
    print(f"  {'method':34s} {'processor':>10s} {'evaluations':>12s} {'mean':>8s} {'least':>8s}")
    if args.program in (None, "deap"):
        report("DEAP's NSGA-II, population 200", marks, [run_deap(tables, seed, marks) for seed in seeds])
    if args.program in (None, "pagmo"):
        with tempfile.TemporaryDirectory() as folder:
            program = compile_pagmo(folder)
            report("pagmo's NSGA-II, population 200", marks,
                   [run_pagmo(program, args.tables, seed, marks) for seed in seeds])
    return 0


if __name__ == "__main__":
    sys.exit(main())
