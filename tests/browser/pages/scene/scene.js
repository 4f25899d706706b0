import * as THREE from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';

const renderer = new THREE.WebGLRenderer({ preserveDrawingBuffer: true });
renderer.setSize(400, 300);
document.body.append(renderer.domElement);
const camera = new THREE.PerspectiveCamera(50, 4 / 3, 0.1, 100);
camera.position.set(2, 2, 3);
const controls = new OrbitControls(camera, renderer.domElement);
controls.update();

const { RoundedBoxGeometry } = await import('three/addons/geometries/RoundedBoxGeometry.js');
const { VertexNormalsHelper } = await import('three/addons/helpers/VertexNormalsHelper.js');
const map = await new THREE.TextureLoader().loadAsync(new URL('./wood.png', import.meta.url).href);
const box = new THREE.Mesh(new RoundedBoxGeometry(1.5, 1.5, 1.5, 4, 0.2), new THREE.MeshBasicMaterial({ map }));
const scene = new THREE.Scene();
scene.add(box, new VertexNormalsHelper(box, 0.2, 0x00ff00));
renderer.render(scene, camera);
// an addon that got a `three` of its own would not know this box
document.getElementById('told').textContent =
  `${box instanceof THREE.Mesh} ${box.geometry instanceof THREE.BoxGeometry} ${controls.object === camera} ${renderer.info.render.triangles}`;
document.documentElement.dataset.ready = 'yes';
