package io.github.cellfuse.jvm;

import io.github.cellfuse.LstmWeights;

/** Plain loops, in a form that HotSpot compiles to vector code. They run on every Java. */
final class PlainArithmetic implements Arithmetic {
    @Override
    public PackedWeights pack(LstmWeights weights) {
        return PlainWeights.of(weights);
    }

    @Override
    public String tile(int units) {
        return GateProduct.ROWS + " rows x " + PlainWeights.width(units) + " units";
    }

    @Override
    public String name() {
        return "plain loops";
    }
}
