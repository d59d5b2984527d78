package io.github.cellfuse.onnx;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A size: the product of a number and of symbolic sizes.
 *
 * @param factor the number; also 0 or -1 if the size is an element of a Reshape's target
 * @param symbols the symbolic sizes, sorted
 */
record AxisSize(long factor, List<Symbol> symbols) {
    static final AxisSize ONE = of(1);

    /** The number of steps or rows of a chain of LSTMs. */
    record Symbol(int chain, boolean isTime) implements Comparable<Symbol> {
        private static final Comparator<Symbol> ORDER =
                Comparator.comparingInt(Symbol::chain).thenComparing(Symbol::isTime);

        @Override
        public int compareTo(Symbol other) {
            return ORDER.compare(this, other);
        }
    }

    static AxisSize of(long number) {
        return new AxisSize(number, List.of());
    }

    static AxisSize of(Symbol symbol) {
        return new AxisSize(1, List.of(symbol));
    }

    /** Returns the product, or nothing if a factor isn't a size or the product overflows. */
    Optional<AxisSize> times(AxisSize other) {
        if (factor < 1 || other.factor < 1 || factor > Long.MAX_VALUE / other.factor) {
            return Optional.empty();
        }
        List<Symbol> all = new ArrayList<>(symbols);
        all.addAll(other.symbols);
        all.sort(null);
        return Optional.of(new AxisSize(factor * other.factor, List.copyOf(all)));
    }

    /** Returns the quotient, or nothing unless {@code other} is a divisor for all values of the symbols. */
    Optional<AxisSize> dividedBy(AxisSize other) {
        if (other.factor < 1 || factor % other.factor != 0) {
            return Optional.empty();
        }
        List<Symbol> rest = new ArrayList<>(symbols);
        for (Symbol symbol : other.symbols) {
            if (!rest.remove(symbol)) {
                return Optional.empty();
            }
        }
        return Optional.of(new AxisSize(factor / other.factor, List.copyOf(rest)));
    }
}
