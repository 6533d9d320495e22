# Every number of a shipped profile has a kind and a source.
lathe devices iphone-13 | grep -E 'layer_ns|app_share' | grep -cE '(datasheet|measured|fitted|estimate|assumed) .*[a-z]'
