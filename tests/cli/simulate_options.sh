lathe simulate mobilellm-125m --device rpi5 --sram 1MB --policy pinned --memory 150MB --load cold --copied --tokens 3 --trace t.json >out && head -c 40 t.json && grep -c "come from flash" out
