package io.github.cellfuse.bench.jmh;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Floating-point operations of the products, which JMH reports per second next to the launches. */
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class ProductFlops {
    /** Two for each multiply-add. */
    public long flops;
}
