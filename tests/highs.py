"""Solves the problems of highs_instances again with HiGHS, as integer programs: the least cost of a
stack whose score is at least that of a point of the front must be the point's cost.

A solver that ran out of time still gives bounds, between which the point has to lie.
usage: highs.py FILE SECONDS"""

import json
import sys

import numpy
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_matrix

FULL, WINDOWED, NONE, EMPTY = range(4)
CLOSE = 2e-6


class Problem:
    def __init__(self, given):
        self.given = given
        self.n_places, self.n_choices = given["places"], given["choices"]
        self.n = self.n_places * self.n_choices
        empty = [0] if given["may_be_empty"] else []
        self.kind = given["kind"] + ([EMPTY] if empty else [])
        self.cost, self.params, self.kv = (given[k] + empty for k in ("cost", "params", "kv"))
        self.rows, self.low, self.high = [], [], []
        self.upper = numpy.ones(self.n)

    def at(self, place, choice):
        return place * self.n_choices + choice

    def add(self, row, low, high):
        """A row is {variable: factor}, or a factor a choice, the same in every place."""
        if not isinstance(row, dict):
            row = {self.at(p, c): row[c] for p in range(self.n_places) for c in range(len(row))}
        self.rows.append(row)
        self.low.append(low)
        self.high.append(high)

    def forbid(self, place, kinds):
        for choice, kind in enumerate(self.kind):
            if kind in kinds:
                self.upper[self.at(place, choice)] = 0

    def add_rules(self):
        given, places = self.given, range(self.n_places)
        for place in places:
            self.add({self.at(place, c): 1 for c in range(self.n_choices)}, 1, 1)
        fixed = given["fixed_params"]
        self.add([p / 1e6 for p in self.params], (given["min_params"] - fixed) / 1e6,
                 (given["max_params"] - fixed) / 1e6)
        if given["most_kv"]:
            self.add([k / 1e6 for k in self.kv], 0, given["most_kv"] / 1e6)
        if given["first_full"]:
            self.forbid(0, (WINDOWED, NONE))
        self.add([int(k == FULL) for k in self.kind], given["min_full"], self.n_places)
        for place in places:
            letters = given["pattern"]
            asked = letters[place % len(letters)] if letters else "."
            if asked != ".":
                self.forbid(place, {FULL, WINDOWED, NONE} - {"FWN".index(asked)})
        run = given["max_windowed_run"]
        for first in range(self.n_places - run if run else 0):
            self.add({self.at(p, c): 1 for p in range(first, first + run + 1)
                      for c, k in enumerate(self.kind) if k == WINDOWED}, 0, run)

    def least_cost(self, score, seconds):
        """Bounds on it, as a whole stack's."""
        matrix = lil_matrix((len(self.rows) + 1, self.n))
        for i, row in enumerate(self.rows):
            for variable, factor in row.items():
                matrix[i, variable] = factor
        matrix[len(self.rows), :] = self.given["score"]
        scale = max(self.cost)
        result = milp(
            numpy.tile(numpy.array(self.cost) / scale, self.n_places), integrality=numpy.ones(self.n),
            bounds=Bounds(0, self.upper),
            constraints=LinearConstraint(matrix.tocsr(), self.low + [score], self.high + [numpy.inf]),
            options={"mip_rel_gap": 1e-7, "time_limit": seconds})
        most = numpy.inf
        if result.x is not None: # what the stack costs, without the solver's tolerance
            chosen = numpy.round(result.x).reshape(self.n_places, self.n_choices).argmax(axis=1)
            most = sum(self.cost[c] for c in chosen)
        least = result.mip_dual_bound * scale if result.mip_dual_bound is not None else -numpy.inf
        return least + self.given["fixed"], most + self.given["fixed"]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        problems = json.load(file)
    failed = False
    for given in problems:
        problem = Problem(given)
        problem.add_rules()
        front = given["front"]
        for point in (len(front) // 5, len(front) // 2, len(front) - 1):
            cost, score = front[point]
            low, high = problem.least_cost(score, float(sys.argv[2]))
            fits = low <= cost * (1 + CLOSE) and cost <= high * (1 + CLOSE)
            print(f"{given['name']}: point {point} of {len(front)}: {cost}, HiGHS {low:.0f} to "
                  f"{high:.0f}{'' if fits else ' FAILED'}", flush=True)
            failed |= not fits
    sys.exit(failed)


main()
