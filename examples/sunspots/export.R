# Writes sunspots.csv: the monthly mean relative sunspot numbers that come with R (datasets::sunspot.month).
# Usage: Rscript export.R    (from any folder; the file is written beside this script)
# R's own series grows by a few months with some releases, so the end is fixed here: the file stays the same.
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
series <- window(datasets::sunspot.month, start = c(1749, 1), end = c(2013, 9))
month <- sprintf("%04d-%02d", floor(time(series) + 1e-6), cycle(series))
# binary mode: the same bytes on every operating system
out <- file(file.path(dirname(normalizePath(script)), "sunspots.csv"), "wb")
writeLines(c("month,sunspots", sprintf("%s,%.1f", month, series)), out, sep = "\n")
close(out)
