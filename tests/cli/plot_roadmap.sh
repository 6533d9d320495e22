lathe plot roadmap --out roadmap.svg
grep -o '>The paper.s gains[^<]*' roadmap.svg
grep -o '[0-9]* of [0-9]* printed steps' roadmap.svg
lathe plot roadmap | grep -c 'SwiGLU'
