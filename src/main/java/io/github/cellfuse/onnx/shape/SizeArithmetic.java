package io.github.cellfuse.onnx.shape;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongBinaryOperator;

/**
 * Arithmetic on the numbers that graphs compute from shapes. Truth values are 0 and 1. The type of the numbers isn't
 * known: a result is given only if it is the same for integers and for floats.
 *
 * @param rowCount what is known of the number of rows
 */
record SizeArithmetic(RowCount rowCount) {

    /** Returns the result of an operator, or nothing if it isn't known. */
    Optional<Size> apply(String operator, List<Size> operands) {
        Size a = operands.get(0);
        if (operands.size() == 1) {
            return switch (operator) {
                case "Neg" -> a.times(Size.of(-1));
                case "Abs" -> a.fixed().isPresent() ? Optional.of(Size.of(Math.abs(a.factor()))) : Optional.empty();
                case "Not" -> a.fixed().isPresent() ? Optional.of(Size.of(a.is(0) ? 1 : 0)) : Optional.empty();
                case "Max", "Min", "Sum" -> Optional.of(a);
                default -> Optional.empty();
            };
        }
        if (operator.equals("Where")) {
            return a.fixed().isPresent()
                    ? Optional.of(operands.get(a.is(0) ? 2 : 1))
                    : operands.get(1).equals(operands.get(2)) ? Optional.of(operands.get(1)) : Optional.empty();
        }
        if (operands.size() > 2) {
            return Optional.empty();
        }
        Size b = operands.get(1);
        return a.fixed().isPresent() && b.fixed().isPresent()
                ? fixed(operator, a.fixed().getAsLong(), b.fixed().getAsLong())
                : symbolic(operator, a, b);
    }

    private static Optional<Size> fixed(String operator, long a, long b) {
        OptionalLong result = result(operator, a, b);
        return result.isPresent() ? Optional.of(Size.of(result.getAsLong())) : Optional.empty();
    }

    private static OptionalLong result(String operator, long a, long b) {
        return switch (operator) {
            case "Add", "Sum" -> exact(Math::addExact, a, b);
            case "Sub" -> exact(Math::subtractExact, a, b);
            case "Mul" -> exact(Math::multiplyExact, a, b);
            // The numbers may be floats here: only a whole quotient is the same for both.
            case "Div" -> b != 0 && a % b == 0 ? OptionalLong.of(a / b) : OptionalLong.empty();
            case "Max" -> OptionalLong.of(Math.max(a, b));
            case "Min" -> OptionalLong.of(Math.min(a, b));
            case "Equal" -> truth(a == b);
            case "Greater" -> truth(a > b);
            case "GreaterOrEqual" -> truth(a >= b);
            case "Less" -> truth(a < b);
            case "LessOrEqual" -> truth(a <= b);
            case "And" -> truth(a != 0 && b != 0);
            case "Or" -> truth(a != 0 || b != 0);
            case "Xor" -> truth(a != 0 ^ b != 0);
            default -> OptionalLong.empty();
        };
    }

    /** Returns a result, or nothing if it overflows: integers wrap around and floats don't. */
    private static OptionalLong exact(LongBinaryOperator operator, long a, long b) {
        try {
            return OptionalLong.of(operator.applyAsLong(a, b));
        } catch (ArithmeticException e) {
            return OptionalLong.empty();
        }
    }

    private static OptionalLong truth(boolean value) {
        return OptionalLong.of(value ? 1 : 0);
    }

    private Optional<Size> symbolic(String operator, Size a, Size b) {
        if (!a.isWhole() || !b.isWhole()) {
            return Optional.empty(); // for NaN not even a - a is 0
        }
        return switch (operator) {
            case "Mul" -> a.times(b);
            case "Div" -> a.dividedBy(b);
            case "Add", "Sum" -> a.is(0) ? Optional.of(b) : b.is(0) ? Optional.of(a) : Optional.empty();
            case "Sub" -> b.is(0) ? Optional.of(a) : a.equals(b) ? Optional.of(Size.of(0)) : Optional.empty();
            case "Max", "Min" -> a.equals(b) ? Optional.of(a) : Optional.empty();
            case "Equal" -> equal(a, b);
            default -> Optional.empty();
        };
    }

    /** A size isn't negative, so it doesn't equal the -1 of a Reshape. */
    private Optional<Size> equal(Size a, Size b) {
        if (rowCount.isOne() && (a.isMultipleOfRows() || b.isMultipleOfRows())) {
            Optional<Size> one = withOneRow(a), other = withOneRow(b);
            if (one.isPresent() && other.isPresent()) {
                return Optional.of(Size.of(one.equals(other) ? 1 : 0));
            }
        }
        if (a.equals(b)) {
            return Optional.of(Size.ONE);
        }
        boolean differ =
                a.fixed().isPresent() && isAbove(b, a.factor()) || b.fixed().isPresent() && isAbove(a, b.factor());
        return differ ? Optional.of(Size.of(0)) : Optional.empty();
    }

    /** Returns whether a size is more than a number in each run. */
    private boolean isAbove(Size size, long number) {
        boolean isRows = size.factor() > 0 && size.symbols().equals(Size.ROWS.symbols());
        return size.isNatural() && number < (isRows ? rowCount.fewest() : 0);
    }

    /** Returns a size in a run with one row, if it is a known number then. */
    private static Optional<Size> withOneRow(Size size) {
        return size.isMultipleOfRows()
                ? size.dividedBy(Size.ROWS).filter(s -> s.fixed().isPresent())
                : Optional.of(size).filter(s -> s.fixed().isPresent());
    }
}
