package io.github.cellfuse.onnx;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.format.file.Problems;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Reads a graph as a model. The graph must contain a single chain of LSTMs; all other nodes may only connect the
 * graph's inputs to the chain and the chain's outputs to the graph's outputs.
 */
final class OnnxLstmReader {
    /** The operators that select one layer's states from an input with the states of several layers. */
    private static final Set<String> CHOOSING = Set.of("Slice", "Split", "Gather");

    private final OnnxFile file;
    private final GraphIndex graph;
    private final Constants constants;
    private final LstmChains chains;

    OnnxLstmReader(OnnxFile file) {
        this.file = file;
        graph = new GraphIndex(file.path(), file.graph());
        constants = file.foldedConstants();
        chains = LstmChains.of(file.path(), file.graph(), file.opset(), constants, file.tensors());
    }

    LstmModel model() {
        for (OnnxNode node : chains.others()) {
            if (node.is("LSTM")) {
                throw node.invalid("expected constant weights, found computed weights "
                        + LstmNode.variableWeight(node, constants)
                                .map(Problems::quote)
                                .orElse(""));
            }
        }
        List<LstmChain> all = chains.chains();
        if (all.isEmpty()) {
            throw invalid("found no LSTM"
                    + chains.others().stream().findFirst().map(n -> " but " + n).orElse(""));
        }
        if (all.size() > 1) {
            throw invalid("found " + all.size() + " stacks: one ends at "
                    + all.get(0).last() + ", another begins at " + all.get(1).first());
        }
        LstmChain chain = all.get(0);
        traceInputs(chain);
        graph.outputs().forEach(output -> traceOutput(chain, output));
        return chain.model();
    }

    private void traceInputs(LstmChain chain) {
        LstmNode first = chain.first();
        trace(first.x(), false).ifPresent(node -> {
            throw other(node);
        });
        for (LstmNode lstm : chain.nodes()) {
            lstm.sequenceLens().flatMap(name -> trace(name, false)).ifPresent(node -> {
                throw other(node);
            });
            Stream.of(lstm.initialH(), lstm.initialC())
                    .flatMap(Optional::stream)
                    .forEach(name -> trace(name, true).ifPresent(node -> {
                        throw other(node);
                    }));
        }
    }

    /**
     * Follows {@code name} back to an input of the graph and returns the first node on the way that isn't plumbing. For
     * a state, a node that selects one layer's part counts as plumbing.
     */
    private Optional<OnnxNode> trace(String name, boolean isState) {
        String at = name;
        while (true) {
            if (constants.find(at).isPresent() && !graph.isInput(at)) {
                throw invalid("found the constant " + Problems.quote(name) + " as an input of an LSTM");
            }
            Optional<OnnxNode> producer = graph.producer(at);
            if (producer.isEmpty()) {
                return producer;
            }
            OnnxNode node = producer.get();
            boolean isWay = Plumbing.isPlumbing(node)
                    || isState
                            && CHOOSING.contains(node.proto().getOpType())
                            && OnnxNode.isDefaultDomain(node.proto().getDomain());
            if (!isWay || node.input(0).isEmpty()) {
                return producer;
            }
            at = node.input(0).get();
        }
    }

    /** Follows an output of the graph back to outputs of the LSTMs. Throws if another node is on the way. */
    private void traceOutput(LstmChain chain, String output) {
        Set<String> states = new HashSet<>();
        for (LstmNode lstm : chain.nodes()) {
            lstm.yH().ifPresent(states::add);
            lstm.yC().ifPresent(states::add);
        }
        Deque<String> open = new ArrayDeque<>(List.of(output));
        Set<String> seen = new HashSet<>();
        boolean isJoined = false;
        while (!open.isEmpty()) {
            String name = open.remove();
            boolean isY = chain.last().y().equals(Optional.of(name));
            if (states.contains(name) || isY && !isJoined || !seen.add(name)) {
                continue;
            }
            OnnxNode node = graph.producer(name)
                    .orElseThrow(() -> invalid("found output " + Problems.quote(output) + ", which comes from "
                            + Problems.quote(name) + " instead of an LSTM"));
            if (node.is("Concat")) {
                isJoined = true;
                open.addAll(node.proto().getInputList());
            } else if (Plumbing.isPlumbing(node) && node.input(0).isPresent()) {
                open.add(node.input(0).get());
            } else {
                throw other(node);
            }
        }
    }

    private InvalidInputException other(OnnxNode node) {
        return invalid("found " + node + " as well; for a whole graph use the commands 'run' and 'info', or OnnxModel");
    }

    private InvalidInputException invalid(String found) {
        return Problems.invalid(file.path(), "expected a stack of LSTMs and nothing else, " + found);
    }
}
