package io.github.cellfuse.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What kind of file a model is in: by its first bytes, or by its name where they don't tell. */
public enum ModelFormat {
    /** Tensors under the names of {@code torch.nn.LSTM}. */
    SAFETENSORS,
    /** A model that Keras saved. */
    KERAS,
    /** An ONNX graph, which has no first bytes to tell it by. */
    ONNX;

    private static final List<byte[]> KERAS_STARTS =
            List.of(new byte[] {'P', 'K', 3, 4}, new byte[] {(byte) 0x89, 'H', 'D', 'F'});

    private static final List<String> KERAS_SUFFIXES = List.of(".keras", ".h5", ".hdf5");

    /** The format of {@code path}; a file that can't be opened is for its reader to complain of. */
    static ModelFormat of(Path path) {
        String name = path.toString().toLowerCase(Locale.ROOT);
        if (name.endsWith(".onnx")) {
            return ONNX;
        }
        byte[] start = start(path);
        boolean isKeras = KERAS_STARTS.stream().anyMatch(bytes -> Arrays.equals(bytes, start))
                || KERAS_SUFFIXES.stream().anyMatch(name::endsWith);
        return isKeras ? KERAS : SAFETENSORS;
    }

    private static byte[] start(Path path) {
        if (!Files.isRegularFile(path)) {
            return new byte[0];
        }
        try (InputStream in = Files.newInputStream(path)) {
            return in.readNBytes(KERAS_STARTS.get(0).length);
        } catch (IOException e) {
            return new byte[0];
        }
    }

    /** As options and JSON spell it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
