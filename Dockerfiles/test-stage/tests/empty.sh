[ "$(sh src/calculate.sh)" = 0 ] && echo "test: nothing is zero"
