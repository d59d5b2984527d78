package io.github.cellfuse.format.npy;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.Problems;
import java.util.Arrays;

/**
 * The text of a {@code .npy} header: a Python dictionary with exactly three keys, such as {@code {'descr': '<f4',
 * 'fortran_order': False, 'shape': (3, 4), }}.
 */
record NpyHeaderText(String descr, boolean fortranOrder, long[] shape) {

    static NpyHeaderText parse(String text, Object label) {
        return new Parser(text, label).dictionary();
    }

    /** Reads the few kinds of Python literals that a header contains. */
    private static final class Parser {
        private final String text;
        private final Object label;
        private int at;
        private String descr;
        private Boolean fortranOrder;
        private long[] shape;

        Parser(String text, Object label) {
            this.text = text;
            this.label = label;
        }

        NpyHeaderText dictionary() {
            expect('{');
            while (!accept('}')) {
                entry();
                if (!accept(',')) {
                    expect('}');
                    break;
                }
            }
            skipSpace();
            if (at < text.length()) {
                throw wrong("the end");
            }
            required("descr", descr);
            required("fortran_order", fortranOrder);
            required("shape", shape);
            return new NpyHeaderText(descr, fortranOrder, shape);
        }

        private void entry() {
            String key = string();
            expect(':');
            switch (key) {
                case "descr" -> {
                    once(key, descr);
                    descr = descr();
                }
                case "fortran_order" -> {
                    once(key, fortranOrder);
                    fortranOrder = bool();
                }
                case "shape" -> {
                    once(key, shape);
                    shape = tuple();
                }
                default ->
                    throw Problems.invalid(
                            label,
                            "header: expected the keys descr, fortran_order and shape, found " + Problems.quote(key));
            }
        }

        private String descr() {
            skipSpace();
            if (at < text.length() && (text.charAt(at) == '[' || text.charAt(at) == '(')) {
                throw NpyDescr.structured(label);
            }
            return string();
        }

        private String string() {
            skipSpace();
            // Python 2 wrote u'<f4' where a program had asked for Unicode literals.
            if (at + 1 < text.length()
                    && "uU".indexOf(text.charAt(at)) >= 0
                    && "'\"".indexOf(text.charAt(at + 1)) >= 0) {
                at++;
            }
            char quote = at < text.length() ? text.charAt(at) : 0;
            if (quote != '\'' && quote != '"') {
                throw wrong("a string");
            }
            int end = text.indexOf(quote, at + 1);
            if (end < 0) {
                throw wrong("a string that ends");
            }
            String value = text.substring(at + 1, end);
            if (value.indexOf('\\') >= 0 || value.indexOf('\n') >= 0) {
                throw wrong("a string without escapes");
            }
            at = end + 1;
            return value;
        }

        private boolean bool() {
            skipSpace();
            for (String word : new String[] {"True", "False"}) {
                if (text.startsWith(word, at)) {
                    at += word.length();
                    return word.equals("True");
                }
            }
            throw wrong("True or False");
        }

        private long[] tuple() {
            long[] values = new long[4];
            int count = 0;
            boolean comma = false;
            expect('(');
            while (!accept(')')) {
                if (count == values.length) {
                    values = Arrays.copyOf(values, 2 * count);
                }
                values[count++] = size();
                comma = accept(',');
                if (!comma) {
                    expect(')');
                    break;
                }
            }
            // In Python (3) is the number 3: only (3,) is a tuple.
            if (count == 1 && !comma) {
                throw Problems.invalid(label, "shape: expected a tuple such as (3,), found the number " + values[0]);
            }
            return Arrays.copyOf(values, count);
        }

        private long size() {
            skipSpace();
            int start = at;
            while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
                at++;
            }
            if (at == start) {
                throw wrong("a size of 0 or more");
            }
            String digits = text.substring(start, at);
            if (digits.length() > 1 && digits.charAt(0) == '0') {
                at = start;
                throw wrong("a number without leading zeros");
            }
            // NumPy under Python 2 wrote long integers as 3L.
            if (at < text.length() && text.charAt(at) == 'L') {
                at++;
            }
            try {
                return Long.parseLong(digits);
            } catch (NumberFormatException e) {
                throw Problems.invalid(label, "shape: expected sizes below 2^63, found " + Problems.quote(digits), e);
            }
        }

        private boolean accept(char c) {
            skipSpace();
            if (at < text.length() && text.charAt(at) == c) {
                at++;
                return true;
            }
            return false;
        }

        private void expect(char c) {
            if (!accept(c)) {
                throw wrong("'" + c + "'");
            }
        }

        private void skipSpace() {
            while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
        }

        private void once(String key, Object value) {
            if (value != null) {
                throw Problems.invalid(label, "header: expected each key once, found " + key + " twice");
            }
        }

        private void required(String key, Object value) {
            if (value == null) {
                throw Problems.invalid(
                        label, "header: expected the keys descr, fortran_order and shape, found no " + key);
            }
        }

        private InvalidInputException wrong(String expected) {
            String found = at < text.length()
                    ? Problems.quote(text.substring(at, Math.min(text.length(), at + 20)))
                    : "the end";
            return Problems.invalid(label, "header: expected " + expected + " at character " + at + ", found " + found);
        }
    }
}
