package io.github.cellfuse.format.torch;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.FileRegion;
import io.github.cellfuse.format.file.Problems;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The index of tensors that lie in several {@code .safetensors} files, called shards: {@code weight_map} has the name
 * of each tensor's file, in the folder of the index. Immutable.
 *
 * @param path the index, such as {@code model.safetensors.index.json}
 * @param files the name of the file of each tensor, in the order of the index
 */
public record SafetensorsIndex(Path path, Map<String, String> files) {
    private static final String FILES = "weight_map";

    /** As long as the longest header of a file: both name every tensor once. */
    private static final int LONGEST = 100_000_000;

    private static final Pattern SHARD = Pattern.compile("(.*)-[0-9]{5}-of-([0-9]{5})\\.safetensors", Pattern.DOTALL);

    /** Returns whether a file is such an index: JSON whose map of files names {@code .safetensors} files. */
    public static boolean isIndex(Path path) {
        if (!Files.isRegularFile(path)) {
            return false;
        }
        try (BufferedReader reader = Files.newBufferedReader(path, StandardCharsets.UTF_8);
                JsonReader json = new JsonReader(reader)) {
            json.setStrictness(Strictness.STRICT);
            json.beginObject();
            while (json.hasNext()) {
                if (!json.nextName().equals(FILES)) {
                    json.skipValue();
                    continue;
                }
                json.beginObject();
                json.nextName();
                return json.nextString().endsWith(".safetensors");
            }
            return false;
        } catch (IOException | IllegalStateException e) {
            return false;
        }
    }

    /**
     * Reads an index.
     *
     * @throws InvalidInputException when it is damaged, or names a file that isn't in its folder
     */
    public static SafetensorsIndex read(Path path) {
        try (FileRegion region = FileRegion.open(path);
                JsonReader json = new JsonReader(new StringReader(region.text("an index", LONGEST)))) {
            json.setStrictness(Strictness.STRICT);
            Map<String, String> files = null;
            json.beginObject();
            while (json.hasNext()) {
                if (!json.nextName().equals(FILES)) {
                    json.skipValue(); // the size of all tensors
                } else if (files == null) {
                    files = files(path, json);
                } else {
                    throw Problems.invalid(path, "expected one " + FILES + ", found two");
                }
            }
            json.endObject();
            if (json.peek() != JsonToken.END_DOCUMENT || files == null) {
                throw Problems.invalid(path, "expected one JSON object with " + FILES + ", found another");
            }
            return new SafetensorsIndex(path, files);
        } catch (MalformedJsonException | EOFException | IllegalStateException e) {
            throw Problems.invalid(path, "expected JSON as an index has it, found it broken", e);
        } catch (IOException e) {
            throw Problems.io(path, "reading", e);
        }
    }

    private static Map<String, String> files(Path path, JsonReader json) throws IOException {
        Map<String, String> files = new LinkedHashMap<>();
        json.beginObject();
        while (json.hasNext()) {
            String tensor = json.nextName();
            if (json.peek() != JsonToken.STRING) {
                throw Problems.invalid(
                        path,
                        "tensor " + Problems.quote(tensor) + ": expected the name of a file, found " + json.peek());
            }
            String file = json.nextString();
            if (!isPlain(file)) {
                throw Problems.invalid(
                        path,
                        "tensor " + Problems.quote(tensor) + ": expected the name of a file in the folder of the index,"
                                + " found " + Problems.quote(file));
            }
            if (files.put(tensor, file) != null) {
                throw Problems.invalid(path, "tensor " + Problems.quote(tensor) + ": expected once, found twice");
            }
        }
        json.endObject();
        return files;
    }

    /** Returns whether a name stays in its folder on every system. */
    private static boolean isPlain(String file) {
        return !file.isEmpty() && !file.equals(".") && !file.equals("..") && file.matches("[^/\\\\:\\x00-\\x1f]+");
    }

    /** Returns the files, each once, in the order of the index. */
    public List<Path> shards() {
        return files.values().stream().distinct().map(this::shard).toList();
    }

    private Path shard(String file) {
        return path.resolveSibling(file);
    }

    void checkShardsAreThere() {
        files.forEach((tensor, file) -> {
            if (!Files.exists(shard(file))) {
                throw Problems.invalid(
                        shard(file),
                        "no such file; it has the tensor " + Problems.quote(tensor) + ", as " + path.getFileName()
                                + " says");
            }
        });
    }

    /**
     * Refuses tensors that aren't where the index says.
     *
     * @param found the tensors of each shard
     */
    void check(Map<Path, SafetensorsHeader> found) {
        Map<String, Path> places = new LinkedHashMap<>();
        found.forEach((shard, header) -> header.tensors().keySet().forEach(tensor -> {
            Path other = places.put(tensor, shard);
            if (other != null) {
                throw Problems.invalid(
                        shard,
                        "tensor " + Problems.quote(tensor) + ": expected in one shard, found in " + other + ", too");
            }
        }));
        files.forEach((tensor, file) -> {
            if (!shard(file).equals(places.get(tensor))) {
                throw Problems.invalid(
                        shard(file),
                        "expected a tensor " + Problems.quote(tensor) + ", as " + path.getFileName() + " says, found "
                                + (places.containsKey(tensor) ? "it in " + places.get(tensor) : "none"));
            }
        });
    }

    /** Returns the usual name of the index of a file that is one of several shards by its name. */
    static Optional<String> ofShard(Path path) {
        Matcher matcher = SHARD.matcher(String.valueOf(path.getFileName()));
        return matcher.matches() && Integer.parseInt(matcher.group(2)) > 1
                ? Optional.of(matcher.group(1) + ".safetensors.index.json")
                : Optional.empty();
    }
}
