// NSGA-II of pagmo on the tables of bench_fronts; bench/fronts_peers.py compiles and runs it.
//
// Usage: fronts_pagmo TABLES SEED SECONDS... Prints, for each mark of processor time, the part of the exact
// front's hypervolume and the evaluations. pagmo's takes no constraints: a stack outside the budget is worse
// in both objectives by how far it is outside.
#include <pagmo/algorithm.hpp>
#include <pagmo/algorithms/nsga2.hpp>
#include <pagmo/population.hpp>
#include <pagmo/problem.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <utility>
#include <vector>

namespace {

struct Tables {
    int places, choices;
    double fixed_ps, fixed_params, least, most, reference[2], volume;
    std::vector<double> ps, params, score;
};
Tables tables;
std::map<double, double> front; // minus the score by ps, each lower than the one before
long evaluations;

bool read(const char *path)
{
    std::ifstream in(path);
    Tables &t = tables;
    in >> t.places >> t.choices >> t.fixed_ps >> t.fixed_params >> t.least >> t.most;
    for (auto *list : {&t.ps, &t.params, &t.score}) {
        list->resize(static_cast<size_t>(t.choices) * (list == &t.score ? t.places : 1));
        for (double &value : *list)
            in >> value;
    }
    in >> t.reference[0] >> t.reference[1] >> t.volume;
    return static_cast<bool>(in);
}

void keep(double ps, double score)
{
    auto after = front.upper_bound(ps);
    if (after != front.begin() && std::prev(after)->second <= score)
        return;
    auto from = front.lower_bound(ps), to = from;
    while (to != front.end() && to->second >= score)
        ++to;
    front.erase(from, to);
    front[ps] = score;
}

double volume()
{
    double total = 0, lowest = tables.reference[1];
    for (const auto &point : front) {
        if (point.first >= tables.reference[0] || point.second >= lowest)
            continue;
        total += (tables.reference[0] - point.first) * (lowest - point.second);
        lowest = point.second;
    }
    return total;
}

struct Stacks {
    pagmo::vector_double fitness(const pagmo::vector_double &x) const
    {
        const Tables &t = tables;
        double ps = t.fixed_ps, params = t.fixed_params, score = 0;
        for (int i = 0; i < t.places; i++) {
            const int choice = static_cast<int>(x[i]);
            ps += t.ps[choice];
            params += t.params[choice];
            score -= t.score[i * t.choices + choice];
        }
        const double beyond = std::max({t.least - params, params - t.most, 0.0});
        evaluations++;
        if (beyond == 0)
            keep(ps, score);
        return {ps + beyond * 1e6, score + beyond};
    }
    std::pair<pagmo::vector_double, pagmo::vector_double> get_bounds() const
    {
        return {pagmo::vector_double(tables.places, 0), pagmo::vector_double(tables.places, tables.choices - 1)};
    }
    pagmo::vector_double::size_type get_nobj() const { return 2; }
    pagmo::vector_double::size_type get_nix() const { return tables.places; }
};

} // namespace

int main(int argc, char **argv)
{
    if (argc < 4 || !read(argv[1]))
        return 1;
    const unsigned seed = static_cast<unsigned>(std::atoi(argv[2]));
    const std::clock_t start = std::clock();
    pagmo::population population{pagmo::problem{Stacks{}}, 200, seed};
    pagmo::algorithm algorithm{pagmo::nsga2(5, 0.9, 10., 1. / tables.places, 20., seed)};
    for (int mark = 3; mark < argc;) {
        population = algorithm.evolve(population);
        const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
        for (; mark < argc && seconds >= std::atof(argv[mark]); mark++)
            std::printf("%.6f %ld\n", volume() / tables.volume, evaluations);
    }
}
