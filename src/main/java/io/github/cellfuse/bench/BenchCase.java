package io.github.cellfuse.bench;

import io.github.cellfuse.WeightPrecision;

/** Something to measure. A case may have several results. */
public sealed interface BenchCase {
    /** The plans of a device under which a run is timed. */
    enum Plans {
        /** Only the plan that the engine chooses. */
        CHOSEN,
        /** Every plan, and also {@code java}. */
        ALL
    }

    /** Returns the name of the case's suite. */
    String suite();

    /** Describes the case, for messages. */
    String describe();

    /** Returns the operations of one run, to decide whether it takes too long; 0 if it is always short. */
    default double cost() {
        return 0;
    }

    /** Returns whether plain Java can run the case. All other cases measure kernels. */
    default boolean onJava() {
        return false;
    }

    /** Returns the same case with weights stored in another precision, or this case if it has no weights. */
    default BenchCase withWeights(WeightPrecision weights) {
        return this;
    }

    /**
     * Whole runs through a session.
     *
     * @param series the growth series that includes this case, or null
     * @param always whether the case runs regardless of the time it takes
     */
    record Run(String suite, Dimensions dimensions, Plans plans, String series, boolean always) implements BenchCase {
        @Override
        public String describe() {
            return "run " + dimensions;
        }

        @Override
        public Run withWeights(WeightPrecision weights) {
            return new Run(suite, dimensions.withWeights(weights), plans, series, always);
        }

        @Override
        public double cost() {
            return always ? 0 : Work.run(dimensions).flops();
        }

        @Override
        public boolean onJava() {
            return true;
        }
    }

    /** The kernels of a run, one by one, under every plan. */
    record Kernels(String suite, Dimensions dimensions) implements BenchCase {
        @Override
        public String describe() {
            return "kernels of " + dimensions;
        }

        @Override
        public Kernels withWeights(WeightPrecision weights) {
            return new Kernels(suite, dimensions.withWeights(weights));
        }

        @Override
        public double cost() {
            return Work.run(dimensions).flops();
        }
    }

    /** Only the recurrent part of a run, as in DeepBench. */
    record Recurrent(String suite, Dimensions dimensions) implements BenchCase {
        @Override
        public String describe() {
            return "recurrence " + dimensions;
        }

        @Override
        public Recurrent withWeights(WeightPrecision weights) {
            return new Recurrent(suite, dimensions.withWeights(weights));
        }

        @Override
        public double cost() {
            return Work.recurrent(dimensions).flops();
        }
    }

    /**
     * {@code lstm_cell} alone.
     *
     * @param rows N, or 0 for more rows than any cache holds
     */
    record Cell(String suite, int rows, int units) implements BenchCase {
        @Override
        public String describe() {
            return "lstm_cell " + (rows == 0 ? "beyond the caches" : "N=" + rows) + ", H=" + units;
        }
    }

    /**
     * {@code lstm_activations} alone.
     *
     * @param values the number of values, or 0 for more than any cache holds
     */
    record Activations(String suite, int values) implements BenchCase {
        @Override
        public String describe() {
            return "lstm_activations of " + (values == 0 ? "more than the caches hold" : values + " values");
        }
    }
}
