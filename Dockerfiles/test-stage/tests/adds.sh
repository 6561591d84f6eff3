[ "$(sh src/calculate.sh 1 2 3)" = 6 ] && echo "test: adds"
