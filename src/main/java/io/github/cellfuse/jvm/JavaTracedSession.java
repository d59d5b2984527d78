package io.github.cellfuse.jvm;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.spi.CellListener;
import io.github.cellfuse.spi.TracedSession;

/** A session whose tasks also record what the cells compute. */
record JavaTracedSession(JavaSession session) implements TracedSession {
    @Override
    public void run(LstmInput input, LstmOutput output, CellListener listener) {
        session.run(input, output, listener);
    }

    @Override
    public void close() {
        session.close();
    }
}
