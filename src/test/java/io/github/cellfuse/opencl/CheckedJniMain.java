package io.github.cellfuse.opencl;

import io.github.cellfuse.Device;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.format.ModelFiles;
import io.github.cellfuse.format.npy.NpyArray;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;

/** Lists the devices, and says whether OpenCL computes the bits of the device java. */
final class CheckedJniMain {
    private CheckedJniMain() {}

    public static void main(String[] args) {
        Device.all().forEach(info -> System.out.println(info.device() + ": " + info.name()));
        Path example = Path.of("examples/sunspots");
        LstmModel model = ModelFiles.read(example.resolve("model.safetensors"));
        try (NpyArray array = NpyArray.open(example.resolve("input.npy"))) {
            int rows = 3, steps = (int) array.shape()[1];
            float[] x = new float[rows * steps * model.inputSize()];
            array.read(0, FloatBuffer.wrap(x));
            boolean same = Arrays.equals(
                    run(Device.JAVA, model, x, rows, steps), run(Device.parse("opencl"), model, x, rows, steps));
            System.out.println("the same bits: " + same);
        }
    }

    private static int[] run(Device device, LstmModel model, float[] x, int rows, int steps) {
        try (LstmEngine engine = LstmEngine.open(device, model);
                LstmSession session = engine.newSession()) {
            FloatBuffer y = session.run(LstmInput.batchMajor(x, rows, steps)).y();
            int[] bits = new int[y.remaining()];
            Arrays.setAll(bits, k -> Float.floatToRawIntBits(y.get(k)));
            return bits;
        }
    }
}
