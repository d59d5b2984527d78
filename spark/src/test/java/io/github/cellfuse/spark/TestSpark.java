package io.github.cellfuse.spark;

import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.LstmWeights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.spark.sql.SparkSession;

/** One Spark for all classes of tests, which takes seconds to start, and models to run on it. */
final class TestSpark {
    /** Ends with the JVM. */
    private static final SparkSession SESSION = SparkSession.builder()
            .master("local[2]")
            .appName("tests")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .config(
                    "spark.sql.warehouse.dir",
                    Path.of("target/warehouse").toUri().toString())
            .config("spark.local.dir", Path.of("target/local").toAbsolutePath().toString())
            .getOrCreate();

    private TestSpark() {}

    static SparkSession session() {
        return SESSION;
    }

    /** Returns a model that {@code .safetensors} can hold. */
    static LstmModel model(Random random, Direction direction, int layers, int inputs, int units) {
        List<List<LstmWeights>> all = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            int width = layer == 0 ? inputs : direction.count() * units;
            List<LstmWeights> directions = new ArrayList<>();
            for (int d = 0; d < direction.count(); d++) {
                directions.add(LstmWeights.builder(width, units)
                        .input(values(random, 4 * units * width))
                        .recurrent(values(random, 4 * units * units))
                        .inputBias(values(random, 4 * units))
                        .recurrentBias(values(random, 4 * units))
                        .build());
            }
            all.add(directions);
        }
        return new LstmModel(direction, all);
    }

    static float[] values(Random random, int count) {
        float[] values = new float[count];
        for (int k = 0; k < count; k++) {
            values[k] = random.nextFloat() * 2 - 1;
        }
        return values;
    }

    /**
     * Runs one row alone on {@code java}.
     *
     * @param state null for zeros
     */
    static LstmOutput run(LstmModel model, float[] x, int length, LstmState state) {
        try (LstmEngine engine = LstmEngine.open(Device.JAVA, model);
                LstmSession session = engine.newSession()) {
            LstmInput input =
                    LstmInput.batchMajor(x, 1, x.length / model.inputSize()).withLengths(length);
            return session.run(state == null ? input : input.withInitialState(state));
        }
    }
}
