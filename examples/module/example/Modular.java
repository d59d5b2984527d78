package example;

import io.github.cellfuse.Device;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.format.ModelFiles;
import io.github.cellfuse.format.npy.NpyArray;
import java.nio.FloatBuffer;
import java.nio.file.Path;

/** Runs a model on each of the devices that the arguments name, from a named module. */
public final class Modular {
    private Modular() {}

    public static void main(String[] args) {
        Path folder = Path.of("examples/sunspots");
        LstmModel model = ModelFiles.read(folder.resolve("model.safetensors"));
        try (NpyArray array = NpyArray.open(folder.resolve("input.npy"));
                NpyArray expected = NpyArray.open(folder.resolve("expected_y.npy"))) {
            int rows = (int) array.shape()[0], steps = (int) array.shape()[1];
            LstmInput batch = LstmInput.batchMajor(array.readAll(), rows, steps);
            for (String device : args) {
                try (LstmEngine engine = LstmEngine.open(Device.parse(device), model);
                        LstmSession session = engine.newSession()) {
                    FloatBuffer y = session.run(batch).y(); // [rows, steps, outputSize]
                    boolean close = true;
                    for (float value : expected.readAll()) {
                        close &= Math.abs(value - y.get()) <= 1e-5;
                    }
                    System.out.println(engine.device() + " in " + Modular.class.getModule()
                            + ", within 1e-5 of PyTorch: " + close);
                }
            }
        }
        // Keras' files need other libraries.
        LstmModel keras = ModelFiles.read(Path.of("src/test/resources/keras/stack_2.h5"));
        System.out.println(keras.layers().size() + " layers");
    }
}
