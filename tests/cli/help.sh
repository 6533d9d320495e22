lathe help >help
lathe --help | cmp - help && sed -n '1,4p' help
lathe help serch || echo "exit $?"
lathe help qqqqqqqqqq || echo "exit $?"
