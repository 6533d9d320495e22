lathe quality probe --runs 2 --budget 125M
lathe quality probe --runs 1 --budget 350M --tied --gpu h100 --json | grep -c '"gpu_hours"'
