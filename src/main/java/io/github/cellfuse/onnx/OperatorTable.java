package io.github.cellfuse.onnx;

import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.OperatorVersion.Attribute;
import io.github.cellfuse.onnx.OperatorVersion.Count;
import io.github.cellfuse.onnx.OperatorVersion.Formal;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * All versions of the operators of ONNX's own domain, read from {@code operators.txt}, which is generated from the
 * specification; its generator explains the format. Immutable and thread safe.
 */
final class OperatorTable {
    private static final OperatorTable TABLE = new OperatorTable();

    private final Map<String, TreeMap<Long, OperatorVersion>> versions = new HashMap<>();
    private final Map<String, Set<String>> sets = new HashMap<>();
    private final long newest;

    private OperatorTable() {
        try (InputStream file =
                        Objects.requireNonNull(OperatorTable.class.getResourceAsStream("operators.txt"), "operators");
                BufferedReader lines = new BufferedReader(new InputStreamReader(file, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                read(line);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        newest = versions.values().stream().mapToLong(TreeMap::lastKey).max().orElseThrow();
    }

    /** Returns the version of an operator in an opset; nothing for an operator that isn't known, or not yet. */
    static Optional<OperatorVersion> find(String operator, long opset) {
        return Optional.ofNullable(TABLE.versions.get(operator))
                .map(all -> all.floorEntry(opset))
                .map(Map.Entry::getValue);
    }

    /** Returns the newest opset that the table knows. Operators of later ones may have more than it says. */
    static long newest() {
        return TABLE.newest;
    }

    private void read(String line) {
        String[] words = line.split(" ", 3);
        if (words[0].equals("#")) {
            return;
        }
        if (words[1].equals("=")) {
            sets.put(words[0], Set.of(words[2].split(" ")));
            return;
        }
        long since = Long.parseLong(words[1]);
        String[] fields = words[2].substring(2).split(" \\| ?", -1);
        boolean isDeprecated = fields[0].equals("deprecated");
        OperatorVersion version = isDeprecated
                ? new OperatorVersion(since, true, List.of(), List.of(), Map.of(), Map.of())
                : new OperatorVersion(
                        since,
                        false,
                        formals(fields[0]),
                        formals(fields[1]),
                        fields.length > 2 ? attributes(fields[2]) : Map.of(),
                        fields.length > 3 ? types(fields[3]) : Map.of());
        versions.computeIfAbsent(words[0], name -> new TreeMap<>()).put(since, version);
    }

    private static List<String> words(String field) {
        return field.isBlank() ? List.of() : Arrays.asList(field.trim().split(" "));
    }

    private static List<Formal> formals(String field) {
        List<Formal> formals = new ArrayList<>();
        for (String word : words(field)) {
            String name = word.substring(0, word.indexOf(':')), type = word.substring(word.indexOf(':') + 1);
            boolean isOptional = name.endsWith("?");
            name = isOptional ? name.substring(0, name.length() - 1) : name;
            Count count = name.endsWith("**")
                    ? Count.MIXED
                    : name.endsWith("*") ? Count.REPEATED : isOptional ? Count.OPTIONAL : Count.ONE;
            formals.add(new Formal(name.replace("*", ""), count, type, isOptional ? 0 : 1));
        }
        return List.copyOf(formals);
    }

    private static Map<String, Attribute> attributes(String field) {
        Map<String, Attribute> attributes = new LinkedHashMap<>();
        for (String word : words(field)) {
            String name = word.substring(0, word.indexOf(':')), type = word.substring(word.indexOf(':') + 1);
            boolean isRequired = name.endsWith("!");
            Optional<AttributeType> known = Arrays.stream(AttributeType.values())
                    .filter(one -> one.name().equals(type))
                    .findFirst();
            attributes.put(isRequired ? name.substring(0, name.length() - 1) : name, new Attribute(known, isRequired));
        }
        return attributes;
    }

    private Map<String, Set<String>> types(String field) {
        Map<String, Set<String>> types = new HashMap<>();
        for (String word : words(field)) {
            types.put(word.substring(0, word.indexOf('=')), sets.get(word.substring(word.indexOf('=') + 1)));
        }
        return types;
    }
}
