package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.spi.CellListener;
import io.github.cellfuse.spi.TracedSession;

/** A session whose kernels also store what the cells compute; see {@link DeviceTrace}. */
record OpenClTracedSession(OpenClSession session) implements TracedSession {
    @Override
    public void run(LstmInput input, LstmOutput output, CellListener listener) {
        session.run(input, output, listener);
    }

    @Override
    public void close() {
        session.close();
    }
}
