# Loss and latency against depth, without a database: from the law and the closed form alone.
lathe plot deep-or-wide --budget 125M --device iphone-13,rpi5 --out 125m.svg
lathe plot deep-or-wide --budget 350M --device iphone-13 --dtype q4_0 --tokens 250B --out 350m.pdf
lathe plot deep-or-wide --budget 70B --device h100-tensorrt-llm --recipe gemstones --out 70b.png
ls
grep -o '>125M: best by both[^<]*' 125m.svg
grep -o '>Networks of[^<]*' 125m.svg
grep -o 'decode on [^<]*' 125m.svg
lathe plot deep-or-wide --budget 350M --device iphone-13,iphone-13-cpu | grep 'decode on\|best by both are'
