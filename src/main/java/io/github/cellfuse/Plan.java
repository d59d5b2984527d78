package io.github.cellfuse;

/**
 * How an OpenCL engine divides the work of a layer into kernels. Every plan gives the same bits; only the speed
 * differs.
 */
public enum Plan {
    /**
     * Two kernels per step: the matrix products of both inputs, written as pre-activations, then the pointwise cell.
     */
    SEPARATE,
    /**
     * One kernel per step: both matrix products with the cell as their epilogue; the pre-activations stay in registers.
     */
    FUSED,
    /** The input products of many steps at once, then one kernel per step: the recurrent product with the cell. */
    HOISTED,
    /**
     * One kernel for all steps: each work-item takes its rows through the whole sequence, and only its share of the
     * units if several cores work on the same rows. For few rows, the input products of many steps are computed first.
     */
    SEQUENCE
}
