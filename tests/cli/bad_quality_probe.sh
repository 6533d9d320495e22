lathe quality probe --recipe gemstnes
lathe quality probe --recipe mine
lathe quality probe --budget 1M
lathe quality probe --gpu tpu
