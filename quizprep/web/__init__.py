"""The program in the browser, on one's own machine: pages over the functions of the commands."""
