package io.github.cellfuse.format.keras;

import static io.github.cellfuse.format.keras.KerasCases.assertRefused;
import static io.github.cellfuse.format.keras.KerasCases.file;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.ModelFiles;
import io.github.cellfuse.format.file.FileRegion;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files that are whole, and wrong. */
class KerasBadInputTest {
    @TempDir
    Path folder;

    /** A copy in which {@code from} is {@code to}, everywhere and of the same length. */
    private Path edited(String name, String from, String to) throws IOException {
        return Files.write(folder.resolve(name), edited(Files.readAllBytes(file(name)), from, to));
    }

    private static byte[] edited(byte[] bytes, String from, String to) {
        assertEquals(from.length(), to.length());
        String text = new String(bytes, StandardCharsets.ISO_8859_1), changed = text.replace(from, to);
        assertNotEquals(text, changed, "nothing to edit");
        return changed.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** A copy of an archive with other entries: null leaves one out. */
    private Path with(String name, Map<String, byte[]> entries) throws IOException {
        Path target = folder.resolve(name);
        try (ZipFile zip = new ZipFile(file(name).toFile());
                OutputStream out = Files.newOutputStream(target);
                ZipOutputStream copy = new ZipOutputStream(out)) {
            Enumeration<? extends ZipEntry> from = zip.entries();
            while (from.hasMoreElements()) {
                ZipEntry entry = from.nextElement();
                byte[] content = entries.containsKey(entry.getName())
                        ? entries.get(entry.getName())
                        : zip.getInputStream(entry).readAllBytes();
                if (content != null) {
                    copy.putNextEntry(new ZipEntry(entry.getName()));
                    copy.write(content);
                }
            }
        }
        return target;
    }

    private Path with(String name, String entry, String content) throws IOException {
        return with(name, Map.of(entry, content.getBytes(StandardCharsets.UTF_8)));
    }

    private static byte[] entry(String name, String entry) throws IOException {
        try (ZipFile zip = new ZipFile(file(name).toFile())) {
            return zip.getInputStream(zip.getEntry(entry)).readAllBytes();
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            link_2.h5       | a link to another place
            lzf_2.h5        | h5repack
            integers_2.h5   | expected float16, float32 or float64
            missing_2.h5    | expected it in the file, found none
            """)
    void refusesArraysThatKerasDoesNotWrite(String name, String part) {
        String refused = "refused_" + name;
        assertRefused(() -> KerasLstm.load(file(refused)), refused, "lstm_cell/", "layer 'lstm'", part);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            "units": 4          | "units": 5          | layer 'lstm'                  | expected shape [3, 20], found [3, 16]
            "units": 4          | "units":-4          | units: expected a whole number | found '-4'
            "units": 4          | "units":4.          | units: expected a whole number | found
            "use_bias": true    | "use_bias":false    | layer 'lstm': expected 2 arrays | found 3
            "use_bias": true    | "use_bias":"yes"    | use_bias: expected true or false | found '"yes"'
            "activation": "tanh"| "activation": "tamh"| activation: expected          | found 'tamh'
            "class_name": "LSTM"| "class_name": "LSTX"| LSTX 'lstm'                   | ONNX
            "Sequential"        | "Subclassed"        | found class 'Subclassed'      | ONNX
            recurrent_kernel:0  | recurrent_kernxl:0  | kernel, recurrent_kernel, bias in this order | kernxl
            model_config        | model_confug        | without the attribute model_config | model.save
            2.15.0              | 1.15.0              | keras_version: expected 2 or 3 | '1.15.0'
            model_weights       | model_weighxs       | expected a group 'model_weights' | model_weighxs
            weight_names        | weight_namxs        | layer 'lstm': expected 3 arrays | found 0
            """)
    void refusesAnotherContent(String from, String to, String first, String second) throws IOException {
        Path path = edited("single_2.h5", from, to);
        assertRefused(() -> KerasLstm.load(path), "single_2.h5", first, second);
    }

    @Test
    void refusesConfigurationsThatAreNone() throws IOException {
        Path deep = with("single_3.keras", "config.json", "{\"config\":" + "[".repeat(200_000));
        assertRefused(
                () -> KerasLstm.load(deep),
                "config.json",
                "found it broken: Nesting limit 100 reached at line 1 column ");
        Path list = with("single_3.keras", "config.json", "[]");
        assertRefused(() -> KerasLstm.load(list), "config.json", "a JSON object");
        Path two = with("single_3.keras", "config.json", "{} {}");
        assertRefused(() -> KerasLstm.load(two), "config.json", "one JSON object");
        Path empty = with("single_3.keras", "config.json", "");
        assertRefused(() -> KerasLstm.load(empty), "config.json");
        Path latin = with("single_3.keras", Map.of("config.json", new byte[] {'"', (byte) 0xE4, '"'}));
        assertRefused(() -> KerasLstm.load(latin), "config.json", "UTF-8");
        Path none = with("single_3.keras", "config.json", "{\"class_name\":\"Sequential\",\"config\":{\"layers\":[]}}");
        assertRefused(() -> KerasLstm.load(none), "found none, but no layers");
        Path number = with("single_3.keras", "config.json", "{\"class_name\":7}");
        assertRefused(() -> KerasLstm.load(number), "class_name: expected a string, found '7'");
        String layer = "{\"class_name\":\"LSTM\",\"config\":{\"name\":\"a\"}}";
        Path twice = with(
                "single_3.keras",
                "config.json",
                "{\"class_name\":\"Sequential\",\"config\":{\"layers\":[" + layer + "," + layer + "]}}");
        assertRefused(() -> KerasLstm.load(twice), "layer 'a': expected once, found twice");
        String ring = "{\"class_name\":\"LSTM\",\"config\":{\"name\":\"a\"},\"inbound_nodes\":[[[\"a\",0,0,{}]]]}";
        Path loop = with(
                "single_3.keras",
                "config.json",
                "{\"class_name\":\"Functional\",\"config\":{\"layers\":[" + ring + "]}}");
        assertRefused(() -> KerasLstm.load(loop, List.of("a")), "layer 'a'");
        Path huge = with(
                "single_3.keras",
                "config.json",
                new String(entry("single_3.keras", "config.json"), StandardCharsets.UTF_8)
                        .replace("\"units\": 4", "\"units\": 1e999999999"));
        assertRefused(() -> KerasLstm.load(huge), "units", "1e999999999");
    }

    @Test
    void refusesArchivesThatAreIncomplete() throws IOException {
        for (String name : List.of("config.json", "metadata.json", "model.weights.h5")) {
            Map<String, byte[]> without = new HashMap<>();
            without.put(name, null);
            Path path = with("single_3.keras", without);
            assertRefused(() -> KerasLstm.load(path), "single_3.keras", "expected config.json, metadata.json and");
        }
        Path version = with("single_3.keras", "metadata.json", "{}");
        assertRefused(() -> KerasLstm.load(version), "metadata.json", "keras_version");
        Path other = with("single_3.keras", "model.weights.h5", "no HDF5 at all");
        assertRefused(() -> KerasLstm.load(other), "model.weights.h5", "not an HDF5 file");
        Path text = Files.writeString(folder.resolve("text.h5"), "some text");
        assertRefused(() -> KerasLstm.load(text), "text.h5", "not a .keras or .h5 file");
        assertRefused(() -> KerasLstm.load(folder), "expected a file, found a folder");
        assertRefused(() -> KerasLstm.load(folder.resolve("none.h5")), "none.h5", "no such file");
    }

    @Test
    void refusesWeightsWithoutTheirModel() throws IOException {
        Path weights = Files.write(folder.resolve("model.weights.h5"), entry("single_3.keras", "model.weights.h5"));
        assertRefused(() -> KerasLstm.load(weights), "weights without the model's configuration", "model.save(");
        Path older = Files.write(folder.resolve("older.weights.h5"), entry("stack_2_12.keras", "model.weights.h5"));
        assertRefused(() -> KerasLstm.load(older), "weights without the model's configuration", "model.save(");
    }

    @Test
    void refusesWeightsThatAreNotTheLayers() throws IOException {
        byte[] weights = entry("bidirectional_3.keras", "model.weights.h5");
        Path renamed = with(
                "bidirectional_3.keras", Map.of("model.weights.h5", edited(weights, "forward_layer", "forwerd_layer")));
        assertRefused(
                () -> KerasLstm.load(renamed),
                "layer 'bidirectional': expected its variables at forward_layer/cell/vars, found none");
        byte[] stack = entry("stack_3.keras", "model.weights.h5");
        Path swapped = with("stack_3.keras", Map.of("model.weights.h5", edited(stack, "lstm_1", "lstm_3")));
        assertRefused(() -> KerasLstm.load(swapped), "layer 'lstm", "found there those of");
        Path fewer = with("stack_3.keras", Map.of("model.weights.h5", edited(stack, "lstm_2", "lstn_2")));
        assertRefused(() -> KerasLstm.load(fewer), "expected 3 groups called lstm", "'lstm', 'lstm_1'");
    }

    @Test
    void largeFilesAreReadPieceByPiece() throws IOException {
        try (FileRegion region = FileRegion.open(file("single_2.h5"));
                Hdf5File whole = Hdf5File.open(region);
                Hdf5File pieces = Hdf5File.open(region, Optional.empty())) {
            String path = "model_weights/lstm/lstm/lstm_cell/kernel:0";
            assertArrayEquals(whole.floats(whole.root(), path, 3, 16), pieces.floats(pieces.root(), path, 3, 16));
            assertEquals(whole.text(whole.root(), "model_config"), pieces.text(pieces.root(), "model_config"));
        }
    }

    /** A small archive would fill the disk if an entry were inflated before its length is checked. */
    @Test
    void longTextsAreRefusedBeforeTheyAreInflated() throws IOException {
        long size = (64L << 20) + 1;
        for (String name : List.of("config.json", "metadata.json")) {
            Path file = folder.resolve(name + ".keras");
            try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
                for (String other : List.of("config.json", "metadata.json", "model.weights.h5")) {
                    zip.putNextEntry(new ZipEntry(other));
                    byte[] zeros = new byte[1 << 16];
                    for (long done = 0; other.equals(name) && done < size; done += zeros.length) {
                        zip.write(zeros, 0, (int) Math.min(zeros.length, size - done));
                    }
                }
            }
            assertTrue(Files.size(file) < size / 900, "it has " + Files.size(file) + " bytes");
            String message = assertThrows(InvalidInputException.class, () -> ModelFiles.read(file))
                    .getMessage();
            assertEquals(file + "[" + name + "]: expected an entry of at most 67108864 bytes, found 67108865", message);
        }
    }
}
