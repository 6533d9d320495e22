mkdir probes
lathe probe --budget 125M --device iphone-13 --n 3 --dtype q8_0 --out probes | sed 's/d[0-9][^ .=]*/SHAPE/g; s/  *[0-9][0-9.,]*/ N/g' | tr -s ' ' | sed 's,[0-9][0-9.]*,N,g'
ls probes | wc -l | tr -d ' '
lathe probe --out nowhere
