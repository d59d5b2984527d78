package io.github.cellfuse.batch;

import io.github.cellfuse.Device;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Tier;

/** Runs an LSTM over the rows of a source and writes the results to a sink. */
record LstmBatchEngine(LstmEngine engine, ChunkSource source, ChunkSink sink)
        implements BatchEngine<InputChunk, OutputChunk> {
    @Override
    public Device device() {
        return engine.device();
    }

    @Override
    public Tier tier() {
        return engine.tier();
    }

    @Override
    public InputChunk newInput(int mostRows) {
        return new InputChunk(engine.model(), source, mostRows);
    }

    @Override
    public OutputChunk newOutput(int mostRows) {
        return new OutputChunk(engine.model(), source.steps(), mostRows, sink);
    }

    @Override
    public ChunkSession<InputChunk, OutputChunk> newSession() {
        LstmSession session = engine.newSession();
        return new ChunkSession<>() {
            @Override
            public void run(InputChunk input, OutputChunk output, Runnable progressed) {
                session.run(input.input(), output.prepare(input.input()));
            }

            @Override
            public void close() {
                session.close();
            }
        };
    }
}
