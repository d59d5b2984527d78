package io.github.cellfuse;

/** How an OpenCL engine lays a layer out in kernels. Every plan gives the same bits: the choice is a matter of speed alone. */
public enum Plan {
    /** A step in two kernels: the products of both inputs into pre-activations, then the pointwise cell. */
    SEPARATE,
    /** A step in one kernel: both products with the cell as their epilogue; the pre-activations stay in registers. */
    FUSED,
    /** The input's products for many steps at once, then a step in one kernel: the recurrent product with the cell. */
    HOISTED,
    /**
     * All steps in one kernel: each work-item takes its rows, and its share of the units where cores work on the same rows, through
     * the whole sequence; for few rows the input's products come first, for many steps at once.
     */
    SEQUENCE
}
