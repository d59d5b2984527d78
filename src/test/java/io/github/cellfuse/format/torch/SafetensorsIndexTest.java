package io.github.cellfuse.format.torch;

import static io.github.cellfuse.format.npy.FormatFixtures.assertRefused;
import static io.github.cellfuse.format.npy.FormatFixtures.file;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.format.ModelFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A model of PyTorch, cut into two shards. */
class SafetensorsIndexTest {
    private static final Path WHOLE = file("lstm_deep.safetensors");
    private static final List<String> SHARDS =
            List.of("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");

    @TempDir
    Path folder;

    private final Map<String, String> places = new LinkedHashMap<>();

    @BeforeEach
    void cut() {
        try (SafetensorsFile whole = SafetensorsFile.open(WHOLE)) {
            for (String shard : SHARDS) {
                SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
                whole.tensors().values().stream()
                        .filter(tensor -> tensor.name().contains("_l0") == shard.equals(SHARDS.get(0)))
                        .forEach(tensor -> {
                            writer.tensor(tensor.name(), whole.readFloats(tensor.name()), tensor.shape());
                            places.put(tensor.name(), shard);
                        });
                writer.write(folder.resolve(shard), false);
            }
        }
    }

    private Path index(String text) throws IOException {
        return Files.writeString(folder.resolve("model.safetensors.index.json"), text);
    }

    private Path index() throws IOException {
        return index(json(places));
    }

    private static String json(Map<String, String> places) {
        return places.entrySet().stream()
                .map(place -> '"' + place.getKey() + "\": \"" + place.getValue() + '"')
                .collect(Collectors.joining(
                        ",\n", "{\n  \"metadata\": {\"total_size\": 1234},\n  \"weight_map\": {\n", "}\n}\n"));
    }

    @Test
    void readsTheModelByItsIndex() throws IOException {
        Path index = index();
        Path again = folder.resolve("again.safetensors");
        PyTorchLstm.save(ModelFiles.read(index), again, false, "encoder.rnn.");
        assertArrayEquals(Files.readAllBytes(WHOLE), Files.readAllBytes(again));
        try (SafetensorsFile file = SafetensorsFile.open(index)) {
            assertEquals(places.keySet(), file.tensors().keySet());
            assertEquals(Map.of("format", "pt"), file.metadata());
        }
        assertEquals(
                Cli.run("info", WHOLE).assertDone().out().replace(WHOLE.toString(), "MODEL"),
                Cli.run("info", index).assertDone().out().replace(index.toString(), "MODEL"));
    }

    /** The Hugging Face Hub's cache has links to files named by their hash. */
    @Test
    void followsLinks() throws IOException {
        Path blob = Files.move(folder.resolve(SHARDS.get(1)), folder.resolve("0a1b2c"));
        Files.createSymbolicLink(folder.resolve(SHARDS.get(1)), blob);
        assertEquals(2, ModelFiles.read(index()).layerCount());
    }

    /** The first shard alone would be a whole LSTM of one layer. */
    @Test
    void oneShardIsNoModel() {
        for (String name : SHARDS) {
            Path shard = folder.resolve(name);
            assertRefused(
                    () -> ModelFiles.read(shard),
                    shard + ": expected a whole model, found one shard of several",
                    "give their index, model.safetensors.index.json");
        }
    }

    @Test
    void onlyShardOfOneIsAModel() throws IOException {
        Path one = Files.copy(WHOLE, folder.resolve("model-00001-of-00001.safetensors"));
        assertEquals(2, ModelFiles.read(one).layerCount());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../model-00001-of-00002.safetensors",
                "/tmp/model-00001-of-00002.safetensors",
                "..",
                "C:\\\\x.safetensors",
                "C:x.safetensors",
                "sub/x.safetensors",
                "..\\\\x.safetensors",
                "",
                "a\\u0000.safetensors"
            })
    void refusesNamesThatLeaveTheFolder(String name) throws IOException {
        places.put("last", name);
        Path index = index();
        assertRefused(
                () -> ModelFiles.read(index), index + ": tensor 'last': expected the name of a file in the folder of");
    }

    @Test
    void refusesAMissingShard() throws IOException {
        Path index = index(), second = folder.resolve(SHARDS.get(1));
        Files.delete(second);
        assertRefused(
                () -> ModelFiles.read(index),
                second + ": no such file; it has the tensor 'encoder.rnn.weight_ih_l1', as model.safetensors.index.json"
                        + " says");
    }

    @Test
    void refusesAShardThatWasNotDownloaded() throws IOException {
        Path index = index();
        Path second = Files.writeString(
                folder.resolve(SHARDS.get(1)), "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 99\n");
        assertRefused(() -> ModelFiles.read(index), second.toString(), "a Git LFS pointer to a file of 99 bytes");
    }

    @Test
    void refusesADamagedShard() throws IOException {
        Path index = index(), second = folder.resolve(SHARDS.get(1));
        byte[] bytes = Files.readAllBytes(second);
        Files.write(second, Arrays.copyOf(bytes, bytes.length - 4));
        assertRefused(() -> ModelFiles.read(index), second.toString(), "a truncated file?");
    }

    @Test
    void refusesTensorsThatAreElsewhere() throws IOException {
        places.put("encoder.rnn.weight_hh_l1", SHARDS.get(0));
        Path index = index();
        assertRefused(
                () -> ModelFiles.read(index),
                folder.resolve(SHARDS.get(0)) + ": expected a tensor 'encoder.rnn.weight_hh_l1', as"
                        + " model.safetensors.index.json says, found it in " + folder.resolve(SHARDS.get(1)));
        places.put("encoder.rnn.weight_hh_l1", SHARDS.get(1));
        places.put("head.weight", SHARDS.get(1));
        index();
        assertRefused(
                () -> ModelFiles.read(index),
                folder.resolve(SHARDS.get(1)) + ": expected a tensor 'head.weight'",
                "found none");
    }

    @Test
    void refusesATensorInTwoShards() throws IOException {
        Path index = index(), second = folder.resolve(SHARDS.get(1));
        try (SafetensorsFile file = SafetensorsFile.open(second)) {
            SafetensorsWriter writer = new SafetensorsWriter().tensor("encoder.rnn.bias_hh_l0", new float[16], 16);
            file.tensors()
                    .values()
                    .forEach(tensor -> writer.tensor(tensor.name(), file.readFloats(tensor.name()), tensor.shape()));
            writer.write(second, true);
        }
        assertRefused(
                () -> ModelFiles.read(index),
                second + ": tensor 'encoder.rnn.bias_hh_l0': expected in one shard, found in "
                        + folder.resolve(SHARDS.get(0)) + ", too");
    }

    @Test
    void refusesADamagedIndex() throws IOException {
        String whole = json(places), first = "\"encoder.rnn.weight_ih_l0\": \"" + SHARDS.get(0) + "\"";
        Path cut = index(whole.substring(0, whole.length() - 4));
        assertRefused(() -> ModelFiles.read(cut), cut + ": expected JSON as an index has it, found it broken");
        index(whole + "{}");
        assertRefused(() -> ModelFiles.read(cut), cut + ": expected JSON as an index has it, found it broken");
        index(whole.replace("\"weight_map\": {\n", "\"weight_map\": {\n" + first + ",\n"));
        assertRefused(
                () -> ModelFiles.read(cut), cut + ": tensor 'encoder.rnn.weight_ih_l0': expected once, found twice");
        index(whole.replace("\n}\n", ", \"weight_map\": {}}"));
        assertRefused(() -> ModelFiles.read(cut), cut + ": expected one weight_map, found two");
        index(whole.replaceFirst("}\n}", ", \"last\": 7}}"));
        assertRefused(() -> ModelFiles.read(cut), cut + ": tensor 'last': expected the name of a file, found NUMBER");
        byte[] latin = whole.replace("\n}\n", ", \"\u00e4\": 1}").getBytes(StandardCharsets.ISO_8859_1);
        Files.write(cut, latin);
        assertRefused(() -> SafetensorsIndex.read(cut), cut + ": expected an index in UTF-8");
        assertFalse(SafetensorsIndex.isIndex(folder));
    }
}
