// Before anything is drawn: what only browsers with a script see, and what only those without.
document.documentElement.classList.add("js");
