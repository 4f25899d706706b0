const plain = 'plain';
