package io.github.cellfuse.opencl.tune;

import io.github.cellfuse.Plan;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.opencl.plan.Candidate;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.SequenceGroups;
import io.github.cellfuse.opencl.program.Staging;
import io.github.cellfuse.opencl.tune.TunedText.Unusable;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The fields of an entry's line in a tuned file, in their order: for each, the value that is written and how it is
 * read.
 */
enum TunedField {
    INPUTS(entry -> entry.layer().inputs(), range(1, TunedField.MAX_SIZE)),
    RECURRENT(entry -> entry.layer().recurrent(), range(1, TunedField.MAX_SIZE)),
    UNITS(entry -> entry.layer().units(), range(1, TunedField.MAX_SIZE)),
    DIRECTIONS(entry -> entry.layer().directions(), range(1, 2)),
    WEIGHTS(entry -> entry.layer().weights(), oneOf(List.of(WeightPrecision.values()))),
    ROWS(TunedEntry::rows, range(1, Integer.MAX_VALUE)),
    STEPS(TunedEntry::steps, range(1, Integer.MAX_VALUE)),
    PLAN(entry -> entry.candidate().plan(), oneOf(List.of(Plan.values()))),
    TILE(entry -> entry.candidate().rows(), range(1, Candidate.MAX_ROWS)),
    GATES(entry -> entry.candidate().gates(), oneOf(List.of(2, 4))),
    PREFETCH(entry -> entry.candidate().prefetch(), range(0, Candidate.MAX_PREFETCH)),
    HOISTED(entry -> entry.candidate().hoisted() ? "yes" : "no", TunedField::hoisted),
    GROUPS(entry -> written(entry.candidate().groups()), TunedField::groups),
    STAGING(entry -> written(entry.candidate().staging()), TunedField::staging),
    AHEAD(TunedEntry::ahead, range(0, 100));

    private static final int MAX_SIZE = 1 << 24;
    private static final String EACH_TILE = "each-tile";
    private static final String NOT_STAGED = "no";
    private static final String NO_STAGES = "x0x",
            WEIGHTS_IN_REGISTERS = "\\d{1,4}x\\d{1,4}" + NO_STAGES + "[12]x\\d{1,4}";

    private final Function<TunedEntry, Object> value;
    private final Reader reader;

    TunedField(Function<TunedEntry, Object> value, Reader reader) {
        this.value = value;
        this.reader = reader;
    }

    /** Reads the word of a field that is {@code at} some place, after the fields to its left. */
    private interface Reader {
        Object read(String at, String word, Map<TunedField, Object> left) throws Unusable;
    }

    /** Returns the line of {@code entry}: {@code inputs=512 recurrent=512 … ahead=5}. */
    static String line(TunedEntry entry) {
        return Stream.of(values())
                .map(field -> word(field) + "=" + word(field.value.apply(entry)))
                .collect(Collectors.joining(" "));
    }

    /** Returns the entry of {@code line}, which is {@code at} some place of a file. */
    static TunedEntry entry(String line, String at) throws Unusable {
        String[] words = line.split(" ", -1);
        if (words.length != values().length) {
            throw new Unusable(at, values().length + " fields", words.length);
        }
        Map<TunedField, Object> read = new EnumMap<>(TunedField.class);
        for (TunedField field : values()) {
            String word = words[field.ordinal()], start = word(field) + "=";
            if (!word.startsWith(start)) {
                throw new Unusable(at, start + "...", TunedText.quoted(word));
            }
            read.put(field, field.reader.read(at + ", " + word(field), word.substring(start.length()), read));
        }
        LayerSize layer = new LayerSize(
                (int) read.get(INPUTS),
                (int) read.get(RECURRENT),
                (int) read.get(UNITS),
                (int) read.get(DIRECTIONS),
                (WeightPrecision) read.get(WEIGHTS));
        Candidate candidate = new Candidate(
                (Plan) read.get(PLAN),
                (int) read.get(TILE),
                (int) read.get(GATES),
                (int) read.get(PREFETCH),
                (boolean) read.get(HOISTED),
                (SequenceGroups) read.get(GROUPS),
                (Staging) read.get(STAGING));
        return new TunedEntry(layer, (int) read.get(ROWS), (int) read.get(STEPS), candidate, (int) read.get(AHEAD));
    }

    private static Reader range(int least, int most) {
        return (at, word, left) -> TunedText.number(at, word, least, most);
    }

    private static Reader oneOf(List<?> values) {
        return (at, word, left) -> {
            String all = values.stream().map(TunedField::word).collect(Collectors.joining(", "));
            return values.stream()
                    .filter(value -> word(value).equals(word))
                    .findFirst()
                    .orElseThrow(() -> unusable(at, all.replaceFirst(", (?=[^,]*$)", " or "), word));
        };
    }

    private static Object hoisted(String at, String word, Map<TunedField, Object> left) throws Unusable {
        String expected = switch ((Plan) left.get(PLAN)) {
            case HOISTED -> "yes";
            case SEQUENCE -> "yes or no";
            case FUSED, SEPARATE -> "no";
        };
        if (!List.of(expected.split(" or ")).contains(word)) {
            throw unusable(at, expected, word);
        }
        return word.equals("yes");
    }

    private static String written(SequenceGroups groups) {
        return groups.equals(SequenceGroups.EACH_TILE) ? EACH_TILE : groups.rows() + "x" + groups.units();
    }

    private static Object groups(String at, String word, Map<TunedField, Object> left) throws Unusable {
        if (word.equals(EACH_TILE)) {
            return SequenceGroups.EACH_TILE;
        }
        boolean sequence = left.get(PLAN) == Plan.SEQUENCE;
        if (!sequence || !word.matches("\\d{1,6}x\\d{1,6}")) {
            throw unusable(at, EACH_TILE + (sequence ? " or two numbers such as 1x2" : ""), word);
        }
        List<Integer> sizes = sizes(at, word, Integer.MAX_VALUE);
        return new SequenceGroups(sizes.get(0), sizes.get(1));
    }

    private static String written(Staging staging) {
        return staging.equals(Staging.NONE) ? NOT_STAGED : staging.toString();
    }

    private static Object staging(String at, String word, Map<TunedField, Object> left) throws Unusable {
        if (word.equals(NOT_STAGED)) {
            return Staging.NONE;
        }
        boolean waits = ((SequenceGroups) left.get(GROUPS)).isCooperative();
        if (word.matches(WEIGHTS_IN_REGISTERS)) {
            if (waits || left.get(PLAN) != Plan.SEQUENCE || !(boolean) left.get(HOISTED)) {
                throw unusable(at, "a stage of 1 or more, unless a sequence is hoisted and no group waits", word);
            }
            List<Integer> sizes = sizes(at, word.replace(NO_STAGES, "x"), Staging.MOST);
            return new Staging(sizes.get(0), sizes.get(1), 0, sizes.get(2), sizes.get(3));
        }
        if (!word.matches("\\d{1,4}x\\d{1,4}x\\d{1,4}(x1(x\\d{1,4})?)?")) {
            throw unusable(at, NOT_STAGED + ", or numbers such as 8x16x8, 8x16x64x1 or 4x16x64x1x512", word);
        }
        List<Integer> sizes = sizes(at, word, Staging.MOST);
        if (sizes.size() > 4 && !(waits && (boolean) left.get(HOISTED))) {
            throw unusable(at, NOT_STAGED + ", or 3 or 4 numbers unless groups wait and x is hoisted", word);
        }
        return switch (sizes.size()) {
            case 3 -> new Staging(sizes.get(0), sizes.get(1), sizes.get(2));
            case 4 -> Staging.narrow(sizes.get(0), sizes.get(1), sizes.get(2));
            default -> Staging.persistent(sizes.get(0), sizes.get(1), sizes.get(2), sizes.get(4));
        };
    }

    private static List<Integer> sizes(String at, String word, int most) throws Unusable {
        List<Integer> sizes = new ArrayList<>();
        for (String size : word.split("x")) {
            sizes.add(TunedText.number(at, size, 1, most));
        }
        return sizes;
    }

    private static Unusable unusable(String at, String expected, String found) {
        return new Unusable(at, expected, TunedText.quoted(found));
    }

    /** Returns how the file spells a value. */
    private static String word(Object value) {
        return value.toString().toLowerCase(Locale.ROOT);
    }
}
