//! A dependency graph: without a cycle, or with one, by Kahn's algorithm.

/// Vertices by number, and edges from what comes before to what comes after.
#[derive(Debug)]
pub struct Graph {
    vertices: u32,
    edges: Vec<(u32, u32)>,
}

impl Graph {
    /// So many vertices and no edge.
    pub fn new(vertices: u32) -> Self {
        Self { vertices, edges: Vec::new() }
    }

    /// One comes before another.
    pub fn before(&mut self, earlier: u32, later: u32) {
        self.edges.push((earlier, later));
    }

    /// The vertices of one cycle in order, if there is one.
    pub fn cycle(&self) -> Option<Vec<u32>> {
        let (starts, later) = self.by_vertex();
        let followers = |vertex: u32| &later[starts[vertex as usize] as usize..starts[vertex as usize + 1] as usize];
        let mut waits_for = vec![0u32; self.vertices as usize];
        self.edges.iter().for_each(|(_, later)| waits_for[*later as usize] += 1);
        let mut free: Vec<u32> = (0..self.vertices).filter(|vertex| waits_for[*vertex as usize] == 0).collect();
        while let Some(vertex) = free.pop() {
            for follower in followers(vertex) {
                waits_for[*follower as usize] -= 1;
                if waits_for[*follower as usize] == 0 {
                    free.push(*follower);
                }
            }
        }
        // Each vertex that is left has one before it that is left, too: going back meets one twice.
        let mut before = vec![None; self.vertices as usize];
        for (earlier, later) in &self.edges {
            if waits_for[*earlier as usize] > 0 && waits_for[*later as usize] > 0 {
                before[*later as usize] = Some(*earlier);
            }
        }
        let mut vertex = (0..self.vertices).find(|vertex| waits_for[*vertex as usize] > 0)?;
        let mut position: Vec<Option<usize>> = vec![None; self.vertices as usize];
        let mut path = Vec::new();
        while position[vertex as usize].is_none() {
            position[vertex as usize] = Some(path.len());
            path.push(vertex);
            vertex = before[vertex as usize]?;
        }
        let mut cycle = path.split_off(position[vertex as usize]?);
        cycle.reverse();
        Some(cycle)
    }

    /// The followers of all vertices one after the other, and where each vertex's begin.
    fn by_vertex(&self) -> (Vec<u32>, Vec<u32>) {
        let mut starts = vec![0u32; self.vertices as usize + 1];
        self.edges.iter().for_each(|(earlier, _)| starts[*earlier as usize + 1] += 1);
        for vertex in 0..self.vertices as usize {
            starts[vertex + 1] += starts[vertex];
        }
        let mut next = starts.clone();
        let mut later = vec![0u32; self.edges.len()];
        for (earlier, follower) in &self.edges {
            let place = &mut next[*earlier as usize];
            later[*place as usize] = *follower;
            *place += 1;
        }
        (starts, later)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(vertices: u32, edges: &[(u32, u32)]) -> Graph {
        Graph { vertices, edges: edges.to_vec() }
    }

    #[test]
    fn a_cycle_is_found_and_shown_and_nothing_else() {
        assert_eq!(graph(0, &[]).cycle(), None);
        assert_eq!(graph(4, &[(0, 1), (0, 2), (1, 3), (2, 3), (0, 3)]).cycle(), None);
        assert_eq!(graph(1, &[(0, 0)]).cycle(), Some(vec![0]));
        let mut cycle = graph(6, &[(0, 1), (1, 2), (2, 3), (3, 1), (3, 4), (5, 0)]).cycle().unwrap();
        assert!(cycle.windows(2).all(|pair| [(1, 2), (2, 3), (3, 1)].contains(&(pair[0], pair[1]))), "{cycle:?}");
        cycle.sort_unstable();
        assert_eq!(cycle, [1, 2, 3]);
    }

    #[test]
    fn a_million_vertices_take_seconds_at_most() {
        let edges: Vec<_> = (1..1_000_000).map(|vertex| (vertex - 1, vertex)).collect();
        assert_eq!(graph(1_000_000, &edges).cycle(), None);
    }
}
