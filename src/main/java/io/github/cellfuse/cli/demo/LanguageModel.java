package io.github.cellfuse.cli.demo;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.onnx.OnnxFile;
import io.github.cellfuse.onnx.graph.GraphOptions;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * The language model of {@code examples/language}: from the words so far to the next one. Immutable.
 *
 * @param graph input {@code tokens [N,T]}, output {@code logits [N,T,V]}
 * @param vocabulary the words, by token
 */
record LanguageModel(OnnxModel graph, List<String> vocabulary) {
    /** The graph's input and output. */
    static final String TOKENS = "tokens", LOGITS = "logits";

    private static final String FOLDER = "/io/github/cellfuse/cli/demo/";

    /** An ellipsis asks for the next word, so it isn't one. */
    private static final Pattern ELLIPSIS = Pattern.compile("\\.{2,}|…"), PERIOD = Pattern.compile("[.!?]");

    /** A word that may come next. */
    record Prediction(String word, double probability) {}

    /** Loads the model. */
    static LanguageModel load() {
        OnnxModel graph = OnnxModel.of(OnnxFile.resource(FOLDER + "model.onnx"), GraphOptions.DEFAULT);
        return new LanguageModel(graph, lines(FOLDER + "vocabulary.txt"));
    }

    private static List<String> lines(String name) {
        try (InputStream in = LanguageModel.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new CellFuseException(name + " is not on the class path: the jars are incomplete");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        } catch (IOException e) {
            throw new CellFuseException(name + " can't be read: " + e.getMessage(), e);
        }
    }

    /**
     * Returns the words of a sentence: lower case, with a period as a word of its own.
     *
     * @throws InvalidInputException if there is none, or the model doesn't know one
     */
    List<String> words(String sentence) {
        String plain = ELLIPSIS.matcher(sentence.toLowerCase(Locale.ROOT)).replaceAll(" ");
        String spaced = PERIOD.matcher(plain).replaceAll(" . ").replace(',', ' ');
        List<String> words = Pattern.compile("\\s+")
                .splitAsStream(spaced)
                .filter(word -> !word.isEmpty())
                .toList();
        List<String> unknown = words.stream()
                .filter(word -> !vocabulary.contains(word))
                .distinct()
                .toList();
        if (!unknown.isEmpty()) {
            throw new InvalidInputException("the model doesn't know " + String.join(", ", unknown)
                    + "; 'cellfuse demo --words' lists the " + vocabulary.size() + " words that it knows");
        }
        if (words.isEmpty()) {
            throw new InvalidInputException("expected a sentence such as \"I live in France. I speak\", found no word");
        }
        return words;
    }

    /** Returns {@code tokens [N,T]}; the ends of shorter sentences are filled up with token 0. */
    Tensor tokens(List<List<String>> sentences) {
        Map<String, Long> numbers = new HashMap<>();
        vocabulary.forEach(word -> numbers.put(word, (long) numbers.size()));
        int steps = sentences.stream().mapToInt(List::size).max().orElseThrow();
        long[] tokens = new long[sentences.size() * steps];
        for (int n = 0; n < sentences.size(); n++) {
            for (int t = 0; t < sentences.get(n).size(); t++) {
                tokens[n * steps + t] = numbers.get(sentences.get(n).get(t));
            }
        }
        return Tensor.of(tokens, sentences.size(), steps);
    }

    /**
     * Returns the most probable words after a sentence, the best first.
     *
     * @param logits {@code [N,T,V]}
     * @param row the sentence
     * @param length its words
     */
    List<Prediction> next(Tensor logits, int row, int length, int count) {
        double[] probabilities = probabilities(logits, row, length);
        return IntStream.range(0, probabilities.length)
                .mapToObj(k -> new Prediction(vocabulary.get(k), probabilities[k]))
                .sorted(Comparator.comparingDouble(Prediction::probability).reversed())
                .limit(count)
                .toList();
    }

    /** Returns the softmax of the logits of a sentence's last step. */
    private double[] probabilities(Tensor logits, int row, int length) {
        double[] values = new double[vocabulary.size()];
        int at = Math.toIntExact((row * logits.dimension(1) + length - 1) * values.length);
        double largest = Double.NEGATIVE_INFINITY, sum = 0;
        FloatBuffer all = logits.floats();
        for (int k = 0; k < values.length; k++) {
            values[k] = all.get(at + k);
            largest = Math.max(largest, values[k]);
        }
        for (int k = 0; k < values.length; k++) {
            values[k] = Math.exp(values[k] - largest);
            sum += values[k];
        }
        for (int k = 0; k < values.length; k++) {
            values[k] /= sum;
        }
        return values;
    }
}
