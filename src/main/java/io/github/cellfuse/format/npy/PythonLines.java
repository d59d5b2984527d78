package io.github.cellfuse.format.npy;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Lines of Python, after {@code import numpy as np}, that convert what isn't read. */
final class PythonLines {
    /** An entry of an archive, as messages name it. */
    private static final Pattern ENTRY = Pattern.compile("(.*\\.npz)\\[(.*)]", Pattern.DOTALL);

    private PythonLines() {}

    /** Returns the expression that loads an array. */
    static String load(Object label) {
        return load(label, "");
    }

    /** Returns the same for an array of Python objects, which may run any code. */
    static String loadObjects(Object label) {
        return load(label, ", allow_pickle=True");
    }

    private static String load(Object label, String option) {
        Matcher entry = ENTRY.matcher(label.toString());
        return entry.matches()
                ? "np.load(" + text(entry.group(1)) + option + ")[" + text(entry.group(2)) + "]"
                : "np.load(" + text(label) + option + ")";
    }

    /** Returns the statement that saves an array for the next try. */
    static String save(String array) {
        return "np.save(\"new.npy\", " + array + ")";
    }

    /** Returns a literal. */
    static String text(Object value) {
        return '"'
                + (value.equals("stdin") ? "/dev/stdin" : value.toString())
                        .replace("\\", "\\\\")
                        .replace("\"", "\\\"")
                + '"';
    }
}
