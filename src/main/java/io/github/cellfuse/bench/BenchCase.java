package io.github.cellfuse.bench;

import io.github.cellfuse.WeightPrecision;

/** Something to be measured; one case may have several results. */
public sealed interface BenchCase {
    /** Which plans of a device a run is timed under. */
    enum Plans {
        /** The one that the engine chooses. */
        CHOSEN,
        /** Each of them, and {@code java} beside them. */
        ALL
    }

    /** The suite that it belongs to. */
    String suite();

    /** What it is, for messages. */
    String describe();

    /** The operations of one run, by which it is decided whether there is time for it; 0 where it is always short. */
    default double cost() {
        return 0;
    }

    /** Whether plain Java has it, too; everything else is a kernel's. */
    default boolean onJava() {
        return false;
    }

    /** The same with the weights stored otherwise; itself where there are none. */
    default BenchCase withWeights(WeightPrecision weights) {
        return this;
    }

    /**
     * Whole runs through a session.
     *
     * @param series the growth series that it is a point of, or null
     * @param always whether it is run however long it takes
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

    /** The kernels of a run, one by one, under each plan. */
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

    /** The recurrent part of a run alone, as DeepBench has it. */
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
     * @param rows N, or 0: as many as no cache holds
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
     * @param values how many, or 0: as many as no cache holds
     */
    record Activations(String suite, int values) implements BenchCase {
        @Override
        public String describe() {
            return "lstm_activations of " + (values == 0 ? "more than the caches hold" : values + " values");
        }
    }
}
