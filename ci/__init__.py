"""What runs this project: the gate, its own tests, and the environment for both."""
