package io.github.cellfuse.verify;

import io.github.cellfuse.Device;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Tier;
import io.github.cellfuse.spi.CellListener;
import io.github.cellfuse.spi.CellTrace;
import io.github.cellfuse.spi.CellValue;
import io.github.cellfuse.spi.TracedSession;
import io.github.cellfuse.spi.TracingEngine;

/** The java engine, in whose traces one bit of one value is wrong, in layers with this number of inputs. */
public record FaultyCells(LstmEngine java, int inputs, int direction, CellValue quantity, int step, int row, int unit)
        implements TracingEngine {
    @Override
    public TracedSession newTracedSession() {
        TracedSession session = ((TracingEngine) java).newTracedSession();
        return new TracedSession() {
            @Override
            public void run(LstmInput input, LstmOutput output, CellListener listener) {
                session.run(input, output, trace -> {
                    tamper(trace);
                    listener.onSteps(trace);
                });
            }

            @Override
            public void close() {
                session.close();
            }
        };
    }

    private void tamper(CellTrace trace) {
        if (java.model().inputSize() == inputs && trace.direction() == direction) {
            int width = quantity.width(java.model().layer(0));
            int at = ((step - trace.firstStep()) * trace.rows() + row) * width + unit;
            float[] values = trace.of(quantity);
            values[at] = Float.intBitsToFloat(Float.floatToRawIntBits(values[at]) ^ 1);
        }
    }

    @Override
    public Device device() {
        return java.device();
    }

    @Override
    public LstmModel model() {
        return java.model();
    }

    @Override
    public Tier tier() {
        return Tier.EXACT;
    }

    @Override
    public String explain(int rows, int steps) {
        return java.explain(rows, steps);
    }

    @Override
    public LstmSession newSession() {
        return java.newSession();
    }

    @Override
    public void close() {
        java.close();
    }
}
