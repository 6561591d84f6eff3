// Command hello prints a greeting without the help of a standard library that would take long to compile.
package main

import "example.org/hello/greeter"

func main() {
	println(greeter.Greeting("gopher"))
}
