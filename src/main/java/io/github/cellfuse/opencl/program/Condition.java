package io.github.cellfuse.opencl.program;

import io.github.cellfuse.CellFuseException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The integer expression of an {@code #if}, its macros expanded. Names that are left are 0, as in C. */
final class Condition {
    private static final Pattern TOKEN = Pattern.compile("\\s*(\\w+|\\|\\||&&|[=!<>]=|[-+*/%<>!()])");
    private static final String END = "the end";

    private final List<String> tokens = new ArrayList<>();
    private final String written;
    private int next;

    /** {@code written} is the expression as messages show it. */
    Condition(String expanded, String written) {
        this.written = written;
        String text = expanded.strip();
        Matcher token = TOKEN.matcher(text);
        int at = 0;
        while (token.find(at) && token.start() == at) {
            tokens.add(token.group(1));
            at = token.end();
        }
        if (at < text.length()) {
            throw unexpected(text.substring(at));
        }
        tokens.add(END);
    }

    long value() {
        next = 0;
        long value = binary(1);
        if (!peek().equals(END)) {
            throw unexpected(peek());
        }
        return value;
    }

    private String peek() {
        return tokens.get(next);
    }

    /** An expression whose operators all bind at least as tightly as {@code weakest}. */
    private long binary(int weakest) {
        long left = unary();
        while (precedence(peek()) >= weakest) {
            String operator = tokens.get(next++);
            left = apply(operator, left, binary(precedence(operator) + 1));
        }
        return left;
    }

    private long unary() {
        String token = tokens.get(next++);
        switch (token) {
            case "!":
                return unary() == 0 ? 1 : 0;
            case "-":
                return -unary();
            case "+":
                return unary();
            case "(":
                long value = binary(1);
                if (!tokens.get(next++).equals(")")) {
                    throw unexpected(tokens.get(next - 1));
                }
                return value;
            default:
                return operand(token);
        }
    }

    private long operand(String token) {
        if (Character.isDigit(token.charAt(0))) {
            try {
                return Long.decode(token.replaceAll("[uUlL]+$", ""));
            } catch (NumberFormatException e) {
                throw unexpected(token);
            }
        }
        if (!Character.isJavaIdentifierStart(token.charAt(0)) || token.equals(END)) {
            throw unexpected(token);
        }
        return 0;
    }

    /** 0 for what is no binary operator. */
    private static int precedence(String token) {
        return switch (token) {
            case "||" -> 1;
            case "&&" -> 2;
            case "==", "!=" -> 3;
            case "<", "<=", ">", ">=" -> 4;
            case "+", "-" -> 5;
            case "*", "/", "%" -> 6;
            default -> 0;
        };
    }

    private long apply(String operator, long a, long b) {
        return switch (operator) {
            case "||" -> a != 0 || b != 0 ? 1 : 0;
            case "&&" -> a != 0 && b != 0 ? 1 : 0;
            case "==" -> a == b ? 1 : 0;
            case "!=" -> a != b ? 1 : 0;
            case "<" -> a < b ? 1 : 0;
            case "<=" -> a <= b ? 1 : 0;
            case ">" -> a > b ? 1 : 0;
            case ">=" -> a >= b ? 1 : 0;
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            default -> {
                if (b == 0) {
                    throw unexpected("a division by zero");
                }
                yield operator.equals("/") ? a / b : a % b;
            }
        };
    }

    private CellFuseException unexpected(String found) {
        return new CellFuseException("kernel source: #if " + written + ": unexpected: " + found);
    }
}
