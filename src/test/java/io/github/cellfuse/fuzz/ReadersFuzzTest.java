package io.github.cellfuse.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;

/**
 * The readers under Jazzer. As ordinary tests these methods take the inputs in
 * {@code src/test/resources/io/github/cellfuse/fuzz/ReadersFuzzTestInputs}, the findings so far; {@code bin/fuzz}
 * searches for more.
 */
class ReadersFuzzTest {
    @FuzzTest
    void npy(byte[] data) {
        FuzzTarget.NPY.check(data);
    }

    @FuzzTest
    void npz(byte[] data) {
        FuzzTarget.NPZ.check(data);
    }

    @FuzzTest
    void safetensors(byte[] data) {
        FuzzTarget.SAFETENSORS.check(data);
    }

    @FuzzTest
    void onnxLstm(byte[] data) {
        FuzzTarget.ONNX_LSTM.check(data);
    }

    @FuzzTest
    void onnxGraph(byte[] data) {
        FuzzTarget.ONNX_GRAPH.check(data);
    }

    @FuzzTest
    void keras(byte[] data) {
        FuzzTarget.KERAS.check(data);
    }

    @FuzzTest
    void hdf5(byte[] data) {
        FuzzTarget.HDF5.check(data);
    }

    @FuzzTest
    void tuned(byte[] data) {
        FuzzTarget.TUNED.check(data);
    }

    @FuzzTest
    void cache(byte[] data) {
        FuzzTarget.CACHE.check(data);
    }

    @FuzzTest
    void bench(byte[] data) {
        FuzzTarget.BENCH.check(data);
    }

    @FuzzTest
    void cli(byte[] data) {
        FuzzTarget.CLI.check(data);
    }
}
