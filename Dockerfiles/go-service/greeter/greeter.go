// Package greeter knows what to say.
package greeter

// Greeting is what to say to name.
func Greeting(name string) string {
	return "hello, " + name
}
